import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon } from '../process/daemon.ts';
import { freePort, portOpened } from '../process/port.ts';
import { requireTool } from '../process/tool.ts';
import type { Workbench } from '../workbench.ts';
import { type NginxConfig, nginxConfig, proxyTo } from './nginx-config.ts';
import { writePayloads } from './payload.ts';
import type { System } from './system.ts';

/** The origin, which every other system stands before. */
export interface Origin extends System {
  readonly port: number;
}

/** What an nginx of ours is set to; the folder and port are found. */
type NginxSettings = Omit<NginxConfig, 'folder' | 'port' | 'isRoot'>;

/** The nginx that serves the payloads; it logs nothing, for it is part of the measuring. */
export async function startOrigin(workbench: Workbench): Promise<Origin> {
  const root = join(workbench.folder, 'payloads');
  await writePayloads(root);
  const location = `root ${root};`;
  const settings: NginxSettings = { workers: 1, accessLog: undefined, location };
  const { daemon, port } = await startNginx(workbench, 'origin', settings);
  const baseUrl = `http://127.0.0.1:${port}`;
  return { name: 'direct', title: 'direct', baseUrl, daemons: [daemon], port };
}

export interface ProxySettings {
  readonly workers: number;
  /** Write a line a request, as Debian's nginx.conf does. */
  readonly isLogging: boolean;
}

/** nginx as a reverse proxy: what all others are compared with. */
export async function startProxy(
  workbench: Workbench,
  originPort: number,
  { workers, isLogging }: ProxySettings,
): Promise<System> {
  const { daemon, port } = await startNginx(workbench, 'nginx', {
    ...proxyTo(originPort),
    workers,
    accessLog: isLogging ? join(workbench.folder, 'nginx', 'access.log') : undefined,
  });
  const title = 'nginx proxy';
  return { name: 'nginx', title, baseUrl: `http://127.0.0.1:${port}`, daemons: [daemon] };
}

async function startNginx(
  workbench: Workbench,
  name: string,
  settings: NginxSettings,
): Promise<{ readonly daemon: Daemon; readonly port: number }> {
  const nginx = requireTool('nginx', 'nginx');
  const folder = join(workbench.folder, name);
  await mkdir(folder);
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  await writeFile(
    file,
    nginxConfig({ ...settings, folder, port, isRoot: process.getuid?.() === 0 }),
  );
  const argv = [nginx, '-p', folder, '-e', join(folder, 'error.log'), '-c', file] as const;
  const daemon = new Daemon(name, workbench.folder, { argv });
  await daemon.start(workbench);
  await portOpened(port, daemon, workbench.signal);
  return { daemon, port };
}
