const heapFlags = [
  // In MB. As large as V8 would let it grow, the young generation is mostly memory that nobody else can use, and larger
  // than the caches of a small box.
  '--max-semi-space-size=4',
  // In a quiet moment V8 would collect what optimised code refers to weakly, and keep the heap so small that it then
  // collects all the time: the first seconds of each burst cost half as much again. Most links are quiet, then busy.
  '--no-memory-reducer',
];

/**
 * Makes this process one with a daemon's heap. V8 takes its flags only at the start: the same process (execve(2))
 * begins again with them. Returns where it has them, or where that cannot be done.
 */
export function takeDaemonHeap(env: NodeJS.ProcessEnv): void {
  const given = [...process.execArgv, env['NODE_OPTIONS'] ?? ''].join(' ');
  if (process.execve === undefined || given.includes('semi-space')) return;
  const args = [...process.execArgv, ...heapFlags, ...process.argv.slice(1)];
  process.execve(process.execPath, [process.execPath, ...args], env);
}
