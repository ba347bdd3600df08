import type { Stage } from './dockerfile.ts';

/** How a container of the last stage is started: what Docker keeps beside the layers. */
export interface ImageConfig {
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** `uid:gid`. */
  readonly user: string;
  readonly volumes: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly healthcheck: readonly string[];
}

/** What Docker sets where an image does not. */
export const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function imageConfig(stage: Stage): ImageConfig {
  const config = {
    env: { PATH: usualPath } as Record<string, string>,
    workdir: '/',
    user: '0:0',
    volumes: [] as string[],
    entrypoint: [] as readonly string[],
    cmd: [] as readonly string[],
    healthcheck: [] as readonly string[],
  };
  for (const step of stage.steps) {
    switch (step.kind) {
      case 'env':
        Object.assign(config.env, step.values);
        break;
      case 'workdir':
      case 'user':
        config[step.kind] = step.value;
        break;
      case 'volume':
        config.volumes.push(step.value);
        break;
      case 'entrypoint':
      case 'cmd':
      case 'healthcheck':
        config[step.kind] = step.argv;
        break;
      case 'run':
      case 'copy':
      case 'arg':
      case 'label':
        break; // of the file system, or of the build alone
    }
  }
  return config;
}
