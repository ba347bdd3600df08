import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { layOutBase } from './base-root.ts';
import { DockerIgnore } from './docker-ignore.ts';
import { parseDockerfile, type Stage, type Step } from './dockerfile.ts';
import { folderSize } from './folder-size.ts';
import { type ImageConfig, imageConfig, usualPath } from './image.ts';
import { inNamespace } from './namespace.ts';

export interface BuiltImage {
  /** The last stage's file system. */
  readonly root: string;
  readonly config: ImageConfig;
  /** Bytes of the whole, and of that what the base has. */
  readonly bytes: number;
  readonly baseBytes: number;
}

/** Where a stage stands while its steps are carried out. */
interface Building {
  readonly root: string;
  readonly env: Record<string, string>;
  workdir: string;
}

/**
 * Carries out the stages of a Dockerfile in folders below `into`, as `docker build` would: COPY from the context sees
 * what `.dockerignore` leaves, RUN runs in the stage's root and nowhere else.
 *
 * @throws Error with the command's own output where a RUN fails.
 */
export class ImageBuild {
  readonly #into: string;
  readonly #context: string;
  readonly #roots = new Map<string, string>();
  readonly #note: (text: string) => void;

  /** `note` hears each step before it is carried out. */
  constructor(into: string, note: (text: string) => void) {
    this.#into = into;
    this.#context = join(into, 'context');
    this.#note = note;
  }

  run(repository: string, file: string): BuiltImage {
    const stages = parseDockerfile(readFileSync(join(repository, file), 'utf8'));
    copyContext(repository, this.#context);
    let built: BuiltImage | undefined;
    for (const [index, stage] of stages.entries()) built = this.#buildStage(stage, index);
    if (built === undefined) throw new Error(`${file} has no stage`);
    return built;
  }

  #buildStage(stage: Stage, index: number): BuiltImage {
    const root = join(this.#into, `stage-${index}`);
    this.#note(`FROM ${stage.image}`);
    layOutBase(stage.image, root);
    const baseBytes = folderSize(root);
    const building: Building = { root, env: { PATH: usualPath, HOME: '/root' }, workdir: '/' };
    for (const step of stage.steps) this.#carryOut(step, building);
    if (stage.name !== undefined) this.#roots.set(stage.name, root);
    return { root, config: imageConfig(stage), bytes: folderSize(root), baseBytes };
  }

  #carryOut(step: Step, building: Building): void {
    switch (step.kind) {
      case 'run':
        this.#note(`RUN ${step.command}`);
        return runInside(building, step.command);
      case 'copy':
        this.#note(`COPY ${step.sources.join(' ')} ${step.to}`);
        return this.#copy(step, building);
      case 'env':
      case 'arg':
        Object.assign(building.env, step.values);
        return;
      case 'workdir':
        building.workdir = step.value;
        mkdirSync(join(building.root, step.value), { recursive: true });
        return;
      case 'user':
      case 'volume':
      case 'entrypoint':
      case 'cmd':
      case 'healthcheck':
      case 'label':
        return; // of a container, not of the file system
    }
  }

  #copy({ from, sources, to }: Extract<Step, { kind: 'copy' }>, building: Building): void {
    const source = from === undefined ? this.#context : this.#roots.get(from);
    if (source === undefined) throw new Error(`COPY --from=${from}: there is no such stage`);
    const target = join(building.root, to.startsWith('/') ? to : join(building.workdir, to));
    const isFolder = to.endsWith('/') || sources.length > 1;
    for (const path of sources) copyOne(join(source, path), target, isFolder);
  }
}

/** A folder's content goes into the target, a file becomes it, or goes into it where it is a folder. */
function copyOne(source: string, target: string, isFolder: boolean): void {
  const goesInto = !statSync(source).isDirectory() && isFolder;
  mkdirSync(goesInto ? target : dirname(target), { recursive: true });
  const to =
    statSync(source).isDirectory() || !goesInto ? target : join(target, source.replace(/.*\//, ''));
  cpSync(source, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}

function copyContext(repository: string, context: string): void {
  const ignore = new DockerIgnore(readFileSync(join(repository, '.dockerignore'), 'utf8'));
  for (const path of ignore.filesBelow(repository)) {
    cpSync(join(repository, path), join(context, path), { preserveTimestamps: true });
  }
}

/** Where this machine's own network shows certificates of its own, npm has to know them, here as outside. */
const hostAuthorities = process.env['NODE_EXTRA_CA_CERTS'];
const authoritiesInside = '/run/host-authorities.pem';

function runInside({ root, env, workdir }: Building, command: string): void {
  const isNeeded = hostAuthorities !== undefined;
  if (isNeeded) execFileSync('touch', [join(root, authoritiesInside)]);
  const mounts = isNeeded ? { [`${authoritiesInside}:ro`]: hostAuthorities } : {};
  const [file = '', ...args] = inNamespace({ root, workdir, mounts }, ['/bin/sh', '-c', command]);
  try {
    execFileSync(file, args, {
      env: { ...env, ...(isNeeded ? { NODE_EXTRA_CA_CERTS: authoritiesInside } : {}) },
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`RUN ${command}\nfailed:\n${stdout}${stderr}`, { cause: error });
  } finally {
    rmSync(join(root, authoritiesInside), { force: true });
  }
}
