import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../process/command.ts';
import { Daemon } from '../process/daemon.ts';
import { freePort, portOpened } from '../process/port.ts';
import { findTool } from '../process/tool.ts';
import type { Workbench } from '../workbench.ts';
import type { Skip, System } from './system.ts';

/** Where sshd, run as root, puts its unprivileged half. Debian's service makes it at each start. */
const privilegeFolder = '/run/sshd';

/**
 * `ssh -R` to an sshd of our own: own configuration, host key and user key, loopback only. It logs in as the user who
 * runs the bench, with that key and nothing else.
 */
export async function startSshTunnel(
  workbench: Workbench,
  originPort: number,
): Promise<System | Skip> {
  const tools = ['ssh', 'sshd', 'ssh-keygen'].map(findTool);
  const [ssh, sshd, keygen] = tools;
  if (ssh === undefined || sshd === undefined || keygen === undefined) {
    return { name: 'ssh', why: 'needs ssh and sshd: apt-get install openssh-server' };
  }
  const folder = join(workbench.folder, 'ssh');
  await mkdir(folder, { mode: 0o700 });
  for (const key of ['host', 'user']) {
    const argv = [keygen, '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)] as const;
    await runCommand(argv, { signal: workbench.signal });
  }
  const port = await freePort();
  const server = await startServer(workbench, sshd, folder, port);
  const tunnelPort = await freePort();
  const client = await startClient(workbench, ssh, folder, { port, tunnelPort, originPort });
  await portOpened(tunnelPort, client, workbench.signal);
  const baseUrl = `http://127.0.0.1:${tunnelPort}`;
  return { name: 'ssh', title: 'ssh -R', baseUrl, daemons: [server, client] };
}

async function startServer(
  workbench: Workbench,
  sshd: string,
  folder: string,
  port: number,
): Promise<Daemon> {
  if (process.getuid?.() === 0) await makePrivilegeFolder(workbench);
  const file = join(folder, 'sshd_config');
  const lines = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${join(folder, 'host')}`,
    `AuthorizedKeysFile ${join(folder, 'user.pub')}`,
    `AllowUsers ${userInfo().username}`,
    'AuthenticationMethods publickey',
    'PermitRootLogin prohibit-password',
    'StrictModes no', // /tmp may be written by all; our folder in it may not
    'UsePAM no',
    'PidFile none',
    'AllowTcpForwarding remote',
    'X11Forwarding no',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const daemon = new Daemon('sshd', workbench.folder, { argv: [sshd, '-D', '-e', '-f', file] });
  await daemon.start(workbench);
  await portOpened(port, daemon, workbench.signal);
  return daemon;
}

async function startClient(
  workbench: Workbench,
  ssh: string,
  folder: string,
  ports: { readonly port: number; readonly tunnelPort: number; readonly originPort: number },
): Promise<Daemon> {
  const { port, tunnelPort, originPort } = ports;
  const known = join(folder, 'known_hosts');
  const hostKey = await readFile(join(folder, 'host.pub'), 'utf8');
  await writeFile(known, `[127.0.0.1]:${port} ${hostKey}`);
  const options = [
    `UserKnownHostsFile=${known}`,
    'StrictHostKeyChecking=yes',
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'ExitOnForwardFailure=yes',
  ].flatMap((option) => ['-o', option]);
  const forward = `127.0.0.1:${tunnelPort}:127.0.0.1:${originPort}`;
  const to = `${userInfo().username}@127.0.0.1`;
  const daemon = new Daemon('ssh', workbench.folder, {
    argv: [
      ...([ssh, '-F', 'none', '-N', ...options] as const),
      ...['-i', join(folder, 'user'), '-p', String(port), '-R', forward, to],
    ],
  });
  await daemon.start(workbench);
  return daemon;
}

async function makePrivilegeFolder({ cleanup }: Workbench): Promise<void> {
  const made = await mkdir(privilegeFolder, { mode: 0o755, recursive: true });
  if (made !== undefined) cleanup.add(() => rmdir(privilegeFolder));
}
