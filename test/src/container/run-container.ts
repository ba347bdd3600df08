/**
 * `node run-container.ts SPEC`: becomes a container of a built image, as `docker run` would start it. SPEC is a JSON
 * file (`ContainerSpec`), since a command line can be seen by others and an environment may hold a secret: the variables
 * that `passed` names are taken from this process.
 */
import { readFileSync } from 'node:fs';
import type { ImageConfig } from './image.ts';
import { inNamespace } from './namespace.ts';

export interface ContainerSpec {
  readonly root: string;
  readonly config: ImageConfig;
  /** Folders of the host, by where the container sees them; `:ro` behind makes one read-only. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly passed: readonly string[];
}

const file = process.argv[2];
if (file === undefined || process.execve === undefined) {
  throw new Error('usage: run-container.ts SPEC, on Linux');
}
const { root, config, mounts, env, passed } = JSON.parse(
  readFileSync(file, 'utf8'),
) as ContainerSpec; // which container.ts wrote
const { user, workdir, entrypoint, cmd } = config;
const own = passed.map((name) => [name, process.env[name] ?? ''] as const);
process.execve(
  '/usr/bin/unshare',
  inNamespace({ root, isReadOnly: true, user, workdir, mounts }, [...entrypoint, ...cmd]),
  { ...config.env, ...env, ...Object.fromEntries(own) },
);
