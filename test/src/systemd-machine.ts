import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, programs } from './program.ts';

const systemd = '/usr/lib/systemd/systemd';
const namespaces = ['--mount', '--pid', '--net', '--uts', '--ipc', '--cgroup', '--fork'];

/** This machine's files below `$1/root`; whatever is written there is gone with the namespace. */
const overlay = `
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/root" "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
`;

/** Programs where a service may see them, a target without services, and then systemd as the first process. */
const boot = `
${overlay}
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --rbind /dev dev
ip link set lo up
mkdir -p opt/pullwire
cp "$2" opt/pullwire/node
cp "$3" opt/pullwire/pullwire-agent.mjs
printf '[Unit]\\nDescription=test\\n' >etc/systemd/system/test.target
export container=test
exec chroot "$1/root" ${systemd} --system --unit=test.target --log-target=console --show-status=no
`;

/** Where the machine has the agent. */
export const agentOnMachine = ['/opt/pullwire/node', '/opt/pullwire/pullwire-agent.mjs'] as const;

/**
 * A machine that systemd really runs, in namespaces of its own: its files are this machine's, and what it changes of them
 * is gone when it is. Its loopback is its own. Wants root.
 */
export class SystemdMachine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pullwire-machine-'));
  readonly #process: ChildProcess;
  #said = '';

  private constructor() {
    const { agent } = programs;
    const args = ['bash', '-c', boot, 'boot', this.#folder, process.execPath, agent];
    this.#process = spawn('unshare', [...namespaces, '--kill-child', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.#said += text.toString();
      });
    }
  }

  /** Resolves when systemd takes commands. */
  static async start(): Promise<SystemdMachine> {
    const machine = new SystemdMachine();
    await machine.until(['systemctl', 'is-active', 'test.target'], ({ code }) => code === 0);
    return machine;
  }

  /** A command that runs another one there. */
  get within(): readonly string[] {
    return ['nsenter', '--target', String(this.#first), ...'-m -p -n -u -i -C -r -w'.split(' ')];
  }

  async run(command: readonly string[], input = ''): Promise<CommandResult> {
    const [file = '', ...args] = [...this.within, ...command];
    return new Promise((resolve) => {
      const child = execFile(file, args, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      });
      // Whether a command reads its input is its own affair.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  }

  /** Runs the command again and again, until its result is as wanted: systemd tells nobody else of its changes. */
  async until(
    command: readonly string[],
    wanted: (result: CommandResult) => boolean,
  ): Promise<CommandResult> {
    for (;;) {
      if (this.#process.exitCode !== null) throw new Error(`systemd has ended: ${this.#said}`);
      const result = await this.#tryRun(command);
      if (result !== undefined && wanted(result)) return result;
    }
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      await once(this.#process, 'exit');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #tryRun(command: readonly string[]): Promise<CommandResult | undefined> {
    return Number.isNaN(this.#first) ? undefined : this.run(command);
  }

  /** The process that is PID 1 there; NaN before it is started. */
  get #first(): number {
    const { pid } = this.#process;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? Number.NaN : Number(children);
  }
}

/** Why there can be no such machine here; undefined: there can. */
export function noSystemdMachine(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can start systemd';
  try {
    accessSync(systemd);
  } catch {
    return 'systemd is not installed: apt-get install systemd';
  }
  const folder = mkdtempSync(join(tmpdir(), 'pullwire-overlay-'));
  const script = `${overlay}\nmkdir -p run/cgroup && mount -t cgroup2 cgroup2 run/cgroup`;
  const { status, stderr } = spawnSync(
    'unshare',
    [...namespaces, 'bash', '-c', script, 'try', folder],
    { encoding: 'utf8' },
  );
  rmSync(folder, { recursive: true, force: true });
  return status === 0 ? undefined : `namespaces cannot be had here (${stderr.trim()})`;
}
