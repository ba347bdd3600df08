import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@pullwire/shared';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderBodies } from './folder-bodies.ts';

let folder: string;
let bodies: FolderBodies;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pullwire-bodies-'));
  bodies = new FolderBodies({ folder, clock: systemClock, newId: randomUUID });
  await bodies.start();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const files = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

async function read(key: string): Promise<string> {
  const { length, body } = await bodies.open(key);
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  const whole = Buffer.concat(pieces);
  expect(whole).toHaveLength(length);
  return whole.toString();
}

test('a body that comes in pieces is read back whole, and only its owner may read it', async () => {
  await bodies.write('queue/replies/a', [Buffer.from('ab'), Buffer.from('cd')]);
  expect(await read('queue/replies/a')).toBe('abcd');
  expect(statSync(join(folder, 'objects/queue/replies/a')).mode & 0o777).toBe(0o600);
});

test('one that breaks off leaves nothing, and tells why', async () => {
  const breaking = async function* () {
    yield Buffer.from('ab');
    throw new TypeError('the link was lost');
  };
  await expect(bodies.write('queue/replies/a', breaking())).rejects.toThrow(TypeError);
  expect(files()).toEqual([]);
  await expect(bodies.open('queue/replies/a')).rejects.toMatchObject({ code: 'missing' });
});

test('what an earlier process left half written is dropped at the start', async () => {
  const never = async function* () {
    yield Buffer.from('ab');
    await new Promise(() => undefined);
  };
  void bodies.write('queue/replies/a', never());
  await expect.poll(files).toHaveLength(1);
  await bodies.start();
  expect(files()).toEqual([]);
});

test('a disk that takes nothing is named', async () => {
  rmSync(folder, { recursive: true, force: true });
  const written = bodies.write('queue/replies/a', [Buffer.from('ab')]);
  await expect(written).rejects.toMatchObject({ name: 'ObjectStoreError' });
});
