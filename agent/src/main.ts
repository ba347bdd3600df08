#!/usr/bin/env node
import type { CliHost } from './cli/cli-host.ts';

/** Whatever an older Node would stumble over is imported behind this check. */
const neededNode = 24;

/**
 * A daemon's young generation, in MB: as large as V8 would let it grow, it is mostly memory that nobody else can use,
 * and larger than the caches of a small box.
 */
const heapFlag = '--max-semi-space-size=4';

if (Number.parseInt(process.versions.node, 10) < neededNode) {
  console.error(
    `pullwire-agent needs Node ${neededNode} or newer; this is Node ${process.versions.node} (${process.execPath}).`,
  );
  process.exitCode = 1;
} else {
  if (process.argv[2] === 'run') startAnew();
  const { runProgram } = await import('./cli/program.ts');
  process.exitCode = await runProgram(thisProcess());
}

/** V8 takes its flags only at the start: the same process (execve(2)) begins again with them, where that can be done. */
function startAnew(): void {
  const given = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  if (process.execve === undefined || given.includes('semi-space')) return;
  const args = [...process.execArgv, heapFlag, ...process.argv.slice(1)];
  process.execve(process.execPath, [process.execPath, ...args], process.env);
}

/** The only place that knows the process: its arguments, signals, streams and end. */
function thisProcess(): CliHost {
  return {
    args: process.argv.slice(2),
    env: process.env,
    workingFolder: process.cwd(),
    writeOut: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    onSignal: (signal, handler) => process.on(signal, handler),
    exitNow: (code) => process.exit(code),
  };
}
