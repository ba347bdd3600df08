import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon } from '../process/daemon.ts';
import type { Workbench } from '../workbench.ts';
import type { Certificate } from './certificate.ts';
import { programs } from './program.ts';
import { Relay } from './relay.ts';
import type { System } from './system.ts';

const device = 'bench-1';
const source = 'origin';

export interface PullwireOptions {
  /** undefined: callers and the agent come in the clear. */
  readonly certificate: Certificate | undefined;
  /** Options of Node itself, for both processes. */
  readonly nodeArgs?: readonly string[];
}

/** Relay and agent as separate processes, with their default settings. */
export async function startPullwire(
  workbench: Workbench,
  originPort: number,
  { certificate, nodeArgs = [] }: PullwireOptions,
): Promise<System> {
  const name = certificate === undefined ? 'pullwire' : 'pullwire-tls';
  const relay = await Relay.start(workbench, { name, certificate, nodeArgs });
  const config = {
    relay: relay.linkUrl,
    device,
    keyFile: await relay.addDevice(device),
    ...(certificate === undefined ? {} : { ca: certificate.cert }),
    sources: {
      [source]: {
        kind: 'http',
        url: `http://127.0.0.1:${originPort}`,
        allow: [{ paths: ['/*'] }],
      },
    },
  };
  const agent = await startAgent(workbench, relay.folder, config, nodeArgs);
  return {
    name,
    title: certificate === undefined ? 'pullwire' : 'pullwire, TLS',
    baseUrl: `${relay.url}/devices/${device}/sources/${source}`,
    headerFile: await relay.addCaller('bench'),
    ...(certificate === undefined ? {} : { caFile: certificate.cert }),
    daemons: [relay.daemon, agent],
  };
}

async function startAgent(
  workbench: Workbench,
  folder: string,
  config: object,
  nodeArgs: readonly string[],
): Promise<Daemon> {
  const file = join(folder, 'agent.json');
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  const argv = [process.execPath, ...nodeArgs, programs.agent, 'run', '--config', file] as const;
  const agent = new Daemon('agent', folder, { argv });
  await agent.start(workbench);
  await agent.said('link open', workbench.signal);
  return agent;
}
