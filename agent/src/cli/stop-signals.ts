import { type CliHost, exitCodes } from './cli-host.ts';

/**
 * Takes over SIGTERM and SIGINT: the first one aborts, with its name as the reason, a second one ends the process at
 * once. As PID 1 a process that has not done so ignores both (pid_namespaces(7)).
 */
export function stopSignals(host: Pick<CliHost, 'onSignal' | 'exitNow'>): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    host.onSignal(signal, () => {
      if (controller.signal.aborted) return host.exitNow(exitCodes.failed);
      controller.abort(signal);
    });
  }
  return controller.signal;
}

/** Calls back at once where it is aborted already. */
export function whenStopped(stop: AbortSignal, callback: (signal: string) => void): void {
  const tell = (): void => callback(String(stop.reason));
  if (stop.aborted) return tell();
  stop.addEventListener('abort', tell, { once: true });
}
