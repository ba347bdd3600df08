import { setTimeout as delay } from 'node:timers/promises';
import { download } from '../load/curl.ts';
import type { Options } from '../options.ts';
import { say } from '../progress.ts';
import type { Workbench } from '../workbench.ts';
import { startBareTunnel } from './bare-tunnel.ts';
import { startBoreTunnel } from './bore-tunnel.ts';
import type { Certificate } from './certificate.ts';
import { startOrigin, startProxy } from './nginx.ts';
import { startPullwire } from './pullwire.ts';
import { startRatholeTunnel } from './rathole-tunnel.ts';
import { startSshTunnel } from './ssh-tunnel.ts';
import type { Skip, System, SystemName } from './system.ts';

const proofWithinMs = 5_000;

/** Everything that is to be measured, up and seen to work; and what cannot be measured here. */
export async function startSystems(
  workbench: Workbench,
  options: Options,
  certificate: Certificate,
): Promise<{ readonly systems: System[]; readonly skipped: Skip[] }> {
  const origin = await startOrigin(workbench);
  const starts: Record<SystemName, () => Promise<System | Skip>> = {
    direct: () => Promise.resolve(origin),
    nginx: () => {
      const settings = { workers: options.nginxWorkers, isLogging: options.proxyLogs };
      return startProxy(workbench, origin.port, settings);
    },
    pullwire: () => startPullwire(workbench, origin.port, { certificate: undefined }),
    'pullwire-tls': () => startPullwire(workbench, origin.port, { certificate }),
    bare: () => startBareTunnel(workbench, origin.port),
    ssh: () => startSshTunnel(workbench, origin.port),
    rathole: () => startRatholeTunnel(workbench, origin.port),
    bore: () => startBoreTunnel(workbench, origin.port),
  };
  const systems: System[] = [];
  const skipped: Skip[] = [];
  for (const name of options.systems) {
    const started = await starts[name]();
    if ('why' in started) {
      say(`${name}: skipped, ${started.why}`);
      skipped.push(started);
      continue;
    }
    await prove(started, workbench.signal);
    say(`${started.title}: up`);
    systems.push(started);
  }
  return { systems, skipped };
}

/** Resolves when a whole answer came through; a tunnel may listen before its far end is there. */
async function prove(system: System, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + proofWithinMs;
  for (;;) {
    try {
      await download(system, '10kb', signal);
      return;
    } catch (error) {
      if (signal.aborted || performance.now() > deadline) throw error;
      await delay(50, undefined, { signal });
    }
  }
}
