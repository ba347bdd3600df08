import { runCommand } from '../process/command.ts';
import { Daemon } from '../process/daemon.ts';
import { answers, freePort, portOpened } from '../process/port.ts';
import { findTool } from '../process/tool.ts';
import type { Workbench } from '../workbench.ts';
import type { Skip, System } from './system.ts';

/** bore has no option for it. */
const controlPort = 7835;

/** bore, which neither authenticates (by default) nor encrypts. */
export async function startBoreTunnel(
  workbench: Workbench,
  originPort: number,
): Promise<System | Skip> {
  const skip = (why: string): Skip => ({ name: 'bore', why });
  const { signal } = workbench;
  const bore = findTool('bore');
  if (bore === undefined) return skip('bore is not installed');
  const help = await runCommand([bore, 'server', '--help'], { signal });
  if (!help.includes('--bind-addr'))
    return skip('this bore listens on all interfaces; 0.6 does not');
  if (await answers(controlPort)) return skip(`its port ${controlPort} is in use`);

  const port = await freePort();
  const loopback = ['--bind-addr', '127.0.0.1', '--bind-tunnels', '127.0.0.1'];
  const range = ['--min-port', String(port), '--max-port', String(port)];
  const server = new Daemon('bore-server', workbench.folder, {
    argv: [bore, 'server', ...loopback, ...range],
  });
  await server.start(workbench);
  await portOpened(controlPort, server, signal);
  const to = ['--to', '127.0.0.1', '--port', String(port)];
  const local = ['--local-host', '127.0.0.1', String(originPort)];
  const client = new Daemon('bore-local', workbench.folder, {
    argv: [bore, 'local', ...local, ...to],
  });
  await client.start(workbench);
  await portOpened(port, client, signal);
  const baseUrl = `http://127.0.0.1:${port}`;
  return { name: 'bore', title: 'bore', baseUrl, daemons: [server, client] };
}
