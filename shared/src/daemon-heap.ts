/**
 * A daemon's young generation, in MB: as large as V8 would let it grow, it is mostly memory that nobody else can use,
 * and larger than the caches of a small box.
 */
const heapFlag = '--max-semi-space-size=4';

/**
 * Makes this process one with a daemon's heap. V8 takes its flags only at the start: the same process (execve(2))
 * begins again with them. Returns where it has them, or where that cannot be done.
 */
export function takeDaemonHeap(env: NodeJS.ProcessEnv): void {
  const given = [...process.execArgv, env['NODE_OPTIONS'] ?? ''].join(' ');
  if (process.execve === undefined || given.includes('semi-space')) return;
  const args = [...process.execArgv, heapFlag, ...process.argv.slice(1)];
  process.execve(process.execPath, [process.execPath, ...args], env);
}
