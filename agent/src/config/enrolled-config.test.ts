import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { EnrolledConfig } from './enrolled-config.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-config-'));
  file = join(folder, 'agent.yaml');
});
afterEach(() => rm(folder, { recursive: true }));

const settings = { relay: 'wss://relay.example/link', device: 'plant-7', insecure: true };

describe('the configuration of a device that was enrolled', () => {
  it('is made where there is none', async () => {
    await new EnrolledConfig(file).add(settings);
    expect(await readFile(file, 'utf8')).toBe(
      'relay: wss://relay.example/link\ndevice: plant-7\ninsecure: true\n',
    );
  });

  it.each([[''], ['# nothing yet\n'], ['{}\n'], ['{ labels: {} } # ours\n']])(
    'is added to an empty one: %j',
    async (text) => {
      await writeFile(file, text);
      await new EnrolledConfig(file).add({ device: 'plant-7' });
      expect(parse(await readFile(file, 'utf8'))).toMatchObject({ device: 'plant-7' });
    },
  );

  it('keeps comments and everything that stands there', async () => {
    await writeFile(
      file,
      '# ours\ndevice: plant-9 # by hand\nsources:\n  logs: { kind: file } # all\n',
    );
    const config = new EnrolledConfig(file);
    expect(config.text('device')).toBe('plant-9');
    expect(config.text('relay')).toBeUndefined();
    await config.add(settings);
    expect(await readFile(file, 'utf8')).toBe(
      'relay: wss://relay.example/link\ninsecure: true\n' +
        '# ours\ndevice: plant-9 # by hand\nsources:\n  logs: { kind: file } # all\n',
    );
  });

  it.each([
    ['---\n# ours\nsources: {} # all\n'],
    ['%YAML 1.2\n---\nsources: {} # ours\n'],
    ['--- # ours\nsources: {}\n...\n'],
    ['# ours\n  sources: {}\n  labels: {}\n'],
    ['\ufeff# ours\nsources: {}\n'],
  ])('can be read afterwards, comments and all: %j', async (text) => {
    await writeFile(file, text);
    await new EnrolledConfig(file).add(settings);
    const written = await readFile(file, 'utf8');
    expect(parse(written)).toMatchObject({ sources: {}, ...settings });
    expect(written).toContain('# ours');
  });

  it.each([0o644, 0o640])('keeps its mode %o', async (mode) => {
    await writeFile(file, 'sources: {}\n');
    await chmod(file, mode);
    await new EnrolledConfig(file).add(settings);
    expect((await stat(file)).mode & 0o777).toBe(mode);
  });

  it('in JSON stays JSON', async () => {
    await writeFile(file, '{"sources": {"logs": {"kind": "file"}}}\n');
    await new EnrolledConfig(file).add(settings);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      sources: { logs: { kind: 'file' } },
      ...settings,
    });
  });

  it('that has everything is not touched', async () => {
    await writeFile(file, 'device:   plant-7\n');
    await new EnrolledConfig(file).add({ device: 'plant-8' });
    expect(await readFile(file, 'utf8')).toBe('device:   plant-7\n');
  });

  it.each([['- a list\n'], ['a: [\n'], ['"text"\n']])('is none: %j', async (text) => {
    await writeFile(file, text);
    expect(() => new EnrolledConfig(file)).toThrow('expected settings in YAML or JSON');
  });
});
