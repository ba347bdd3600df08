import { fileURLToPath } from 'node:url';
import { Daemon } from '../process/daemon.ts';
import { freePort, portOpened } from '../process/port.ts';
import type { Workbench } from '../workbench.ts';
import type { System } from './system.ts';

const program = (name: string): string =>
  fileURLToPath(new URL(`../bare/${name}.ts`, import.meta.url));

/** The same libraries with nothing around them: what this machine leaves to a tunnel in Node. */
export async function startBareTunnel(workbench: Workbench, originPort: number): Promise<System> {
  const port = await freePort();
  const relay = new Daemon('bare-relay', workbench.folder, {
    argv: [process.execPath, program('bare-relay'), String(port)],
  });
  await relay.start(workbench);
  await portOpened(port, relay, workbench.signal);
  const agent = new Daemon('bare-agent', workbench.folder, {
    argv: [process.execPath, program('bare-agent'), String(port), String(originPort)],
  });
  await agent.start(workbench);
  const baseUrl = `http://127.0.0.1:${port}`;
  return { name: 'bare', title: 'bare tunnel', baseUrl, daemons: [relay, agent] };
}
