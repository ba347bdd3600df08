import type { CliContext, ProcessSignals } from './cli/cli-context.ts';

const wantedNode = 24;

/** Exit code of a process that a signal ends, as shells count. */
const signalCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** The process: its Node, its streams, its signals and its exit code. Everything else is imported when Node will do. */
async function main(): Promise<void> {
  const { node } = process.versions;
  if (Number(node.split('.')[0]) < wantedNode) {
    process.stderr.write(
      `pullwire-relay needs Node ${wantedNode} or newer; this is Node ${node}.\n`,
    );
    process.exitCode = 1;
    return;
  }
  if (process.argv[2] === 'serve') {
    const { takeDaemonHeap } = await import('@pullwire/shared/daemon-heap');
    takeDaemonHeap(process.env);
  }
  process.stdout.on('error', () => process.exit()); // whoever read it has seen enough, such as `head`
  const { runCli } = await import('./cli/run-cli.ts');
  const { systemClock } = await import('@pullwire/shared');
  let serving = false;
  const context: CliContext = {
    out: (text) => process.stdout.write(text),
    note: (text) => process.stderr.write(text),
    env: process.env,
    workingFolder: process.cwd(),
    clock: systemClock,
    signals: () => {
      serving = true;
      return takeSignals();
    },
  };
  process.exitCode = await runCli(process.argv.slice(2), context);
  // A server has stopped every part; whatever a library still holds must not keep the process.
  if (serving) process.exit();
}

/** The first SIGTERM or SIGINT asks to stop, the second one does not ask. */
function takeSignals(): ProcessSignals {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(signalCodes[name]);
      stop.abort(new Error(`stopped by ${name}`));
    });
  }
  process.on('SIGHUP', () => undefined); // certificates reload by themselves, and nothing else is reloaded
  return {
    stop: stop.signal,
    onSnapshot: (callback) => process.on('SIGUSR2', callback),
  };
}

await main();
