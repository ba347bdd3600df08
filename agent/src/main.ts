#!/usr/bin/env node
import { isMainThread } from 'node:worker_threads';
import type { CliHost } from './cli/cli-host.ts';

/** Whatever an older Node would stumble over is imported behind this check. */
const neededNode = 24;

if (Number.parseInt(process.versions.node, 10) < neededNode) {
  console.error(
    `pullwire-agent needs Node ${neededNode} or newer; this is Node ${process.versions.node} (${process.execPath}).`,
  );
  process.exitCode = 1;
} else if (!isMainThread) {
  // The agent ships as one file: its thread is the same one (spool/spool-thread.ts).
  await import('./spool/spool-worker.ts');
} else {
  if (process.argv[2] === 'run') {
    const { takeDaemonHeap } = await import('@pullwire/shared/daemon-heap');
    takeDaemonHeap(process.env);
  }
  const { runProgram } = await import('./cli/program.ts');
  process.exitCode = await runProgram(thisProcess());
}

/** The only place that knows the process: its arguments, signals, streams and end. */
function thisProcess(): CliHost {
  return {
    args: process.argv.slice(2),
    env: process.env,
    workingFolder: process.cwd(),
    program: { node: process.execPath, script: process.argv[1] ?? '' },
    uid: process.getuid?.(),
    writeOut: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    onSignal: (signal, handler) => process.on(signal, handler),
    exitNow: (code) => process.exit(code),
  };
}
