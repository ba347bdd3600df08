import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Program } from '../program.ts';
import type { BuiltImage } from './image-build.ts';
import type { ContainerSpec } from './run-container.ts';

export interface ContainerOptions {
  readonly name: string;
  /** Where its volumes and its specification are kept. */
  readonly folder: string;
  /** Files and folders of the host, by where the container sees them; they are read-only. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  /** In place of the image's own. */
  readonly entrypoint?: readonly string[];
}

/** A process as the kernel tells of it in `/proc/PID/status`. */
export interface ContainerProcess {
  /** As the host counts. */
  readonly pid: number;
  /** As the container counts. */
  readonly innerPid: number;
}

/**
 * A container of a built image: read-only root file system, its volumes writable, the image's user, no new privileges,
 * its entry point as PID 1 of a PID namespace. A volume that has a name outlives it, as Docker's do.
 */
export class Container {
  readonly program: Program;
  readonly #image: BuiltImage;
  readonly #env: Readonly<Record<string, string>>;

  constructor(image: BuiltImage, options: ContainerOptions) {
    const { name, folder, mounts, env = {}, secrets = {}, entrypoint } = options;
    this.#image = image;
    this.#env = { ...image.config.env, ...env };
    const volumes = image.config.volumes.map((path) => [path, volumeOf(image, folder, path)]);
    const readOnly = Object.entries(mounts).map(([to, from]) => {
      makeMountPoint(join(image.root, to));
      return [`${to}:ro`, from];
    });
    const spec: ContainerSpec = {
      root: image.root,
      config: { ...image.config, ...(entrypoint === undefined ? {} : { entrypoint }) },
      mounts: Object.fromEntries([...volumes, ...readOnly]),
      env,
      passed: Object.keys(secrets),
    };
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(spec));
    this.program = new Program('container', [file], secrets);
  }

  /** PID 1 of the container, as the host counts. */
  get initPid(): number {
    const { pid } = this.program;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return Number(children[0]);
  }

  /** As `docker stop` and the kubelet do it: SIGTERM to PID 1. Resolves with the exit code. */
  stop(): Promise<number | string> {
    if (this.program.running) process.kill(this.initPid, 'SIGTERM');
    return this.program.ended;
  }

  /** As `docker exec`: in the container's namespaces, as its user, with the image's environment. */
  exec(argv: readonly string[]): { code: number | null; output: string } {
    const [uid = '', gid = ''] = this.#image.config.user.split(':');
    const target = String(this.initPid);
    const args = [
      ...['--target', target, '--mount', '--pid', '--root', '--wd'],
      ...['--setuid', uid, '--setgid', gid, '--', ...argv],
    ];
    const { status, stdout, stderr } = spawnSync('nsenter', args, {
      env: this.#env,
      encoding: 'utf8',
    });
    return { code: status, output: stdout + stderr };
  }

  /** The image's own health check, with the exit code that Docker goes by: 0 is healthy. */
  checkHealth(): { code: number | null; output: string } {
    return this.exec(this.#image.config.healthcheck);
  }

  /** All processes of its PID namespace. */
  get processes(): ContainerProcess[] {
    const namespace = namespaceOf(this.initPid);
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((name) => namespaceOf(Number(name)) === namespace)
      .map((name) => processOf(Number(name)))
      .filter((found) => found !== undefined);
  }
}

/** Docker fills a new volume with what the image has there, owner and mode included. */
function volumeOf({ root }: BuiltImage, folder: string, path: string): string {
  const volume = join(folder, path.replaceAll('/', '_'));
  if (!existsSync(volume)) execFileSync('cp', ['--archive', join(root, path), volume]);
  return volume;
}

function makeMountPoint(path: string): void {
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined; // it has ended meanwhile
  }
}

function processOf(pid: number): ContainerProcess | undefined {
  const innerPid = /^NSpid:.*\s(\d+)$/m.exec(statusOf(pid))?.[1];
  return innerPid === undefined ? undefined : { pid, innerPid: Number(innerPid) };
}

/** `Z` is a process that has ended and that its parent has not reaped; undefined where there is none. `pid`: the host's. */
export function stateOf(pid: number): string | undefined {
  return /^State:\s+(\w)/m.exec(statusOf(pid))?.[1];
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}
