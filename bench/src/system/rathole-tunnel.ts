import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon } from '../process/daemon.ts';
import { freePort, portOpened } from '../process/port.ts';
import { findTool } from '../process/tool.ts';
import type { Workbench } from '../workbench.ts';
import type { Skip, System } from './system.ts';

/** rathole with its default transport, TCP in the clear. */
export async function startRatholeTunnel(
  workbench: Workbench,
  originPort: number,
): Promise<System | Skip> {
  const rathole = findTool('rathole');
  if (rathole === undefined) return { name: 'rathole', why: 'rathole is not installed' };
  const folder = join(workbench.folder, 'rathole');
  await mkdir(folder, { mode: 0o700 });
  const [controlPort, tunnelPort] = [await freePort(), await freePort()];
  const service = `token = "${randomBytes(24).toString('base64url')}"`;
  const start = async (side: 'server' | 'client', lines: readonly string[]): Promise<Daemon> => {
    const file = join(folder, `${side}.toml`);
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    const argv = [rathole, `--${side}`, file] as const;
    const daemon = new Daemon(`rathole-${side}`, workbench.folder, { argv });
    await daemon.start(workbench);
    return daemon;
  };
  const server = await start('server', [
    `[server]\nbind_addr = "127.0.0.1:${controlPort}"`,
    `[server.services.origin]\n${service}\nbind_addr = "127.0.0.1:${tunnelPort}"`,
  ]);
  await portOpened(controlPort, server, workbench.signal);
  const client = await start('client', [
    `[client]\nremote_addr = "127.0.0.1:${controlPort}"`,
    `[client.services.origin]\n${service}\nlocal_addr = "127.0.0.1:${originPort}"`,
  ]);
  await portOpened(tunnelPort, client, workbench.signal);
  const baseUrl = `http://127.0.0.1:${tunnelPort}`;
  return { name: 'rathole', title: 'rathole', baseUrl, daemons: [server, client] };
}
