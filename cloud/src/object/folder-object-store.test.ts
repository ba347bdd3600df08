import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { put, send } from '../../test/signed-exchange.ts';
import { FolderObjectDoor } from './folder-object-door.ts';
import { FolderObjectStore } from './folder-object-store.ts';
import { contentOf, objectStoreContract } from './object-store-contract.ts';

let root = '';
let server: Server;
let door: FolderObjectDoor;
let folder = '';
/** Settles with the last request. */
let served: Promise<void>;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pullwire-objects-'));
  server = createServer((incoming, response) => {
    served = door.serve(incoming, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(root, { recursive: true });
});

async function fresh(clock = systemClock): Promise<FolderObjectStore> {
  folder = join(root, randomUUID());
  const store = new FolderObjectStore({
    folder,
    baseUrl: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/objects`,
    secret: randomBytes(32),
    clock,
    newId: randomUUID,
  });
  door = new FolderObjectDoor(store, clock);
  await store.start();
  return store;
}

objectStoreContract('a folder', () => fresh());

describe('a folder of objects', () => {
  const bytes = Buffer.from('temperature 21.5\n');

  it('is open to its owner only, as its files are', async () => {
    const store = await fresh();
    await put(store.presignPut('replies/a', contentOf(bytes)), bytes);
    const rights = async (path: string) => (await stat(path)).mode & 0o777;
    expect(await rights(folder)).toBe(0o700);
    expect(await rights(join(folder, 'objects/replies'))).toBe(0o700);
    expect(await rights(join(folder, 'objects/replies/a'))).toBe(0o600);
  });

  it('keeps nothing of a body that breaks off', async () => {
    const store = await fresh();
    const { url, headers } = store.presignPut('replies/a', contentOf(bytes));
    const broken = request(url, { method: 'PUT', headers: { ...headers } });
    broken.on('error', () => {});
    const come = once(server, 'request');
    broken.write(bytes.subarray(0, 4));
    await come;
    broken.destroy();
    await served;
    expect(await readdir(join(folder, 'temporary'))).toEqual([]);
    await expect(store.head('replies/a')).rejects.toMatchObject({ code: 'missing' });
  });

  it('does not let an object come again that was removed', async () => {
    const store = await fresh();
    const signed = store.presignPut('replies/a', contentOf(bytes));
    expect((await put(signed, bytes)).status).toBe(200);
    await store.remove('replies/a');
    expect((await put(signed, bytes)).status).toBe(403);
    await expect(store.head('replies/a')).rejects.toMatchObject({ code: 'missing' });
  });

  it('refuses a URL from the second of its expiry on', async () => {
    const clock = new ManualClock();
    const store = await fresh(clock);
    const signed = store.presignPut('replies/a', contentOf(bytes, 60));
    clock.advance(60_000);
    expect((await put(signed, bytes)).status).toBe(403);
  });

  it('takes no URL of another folder, and no path for a part', async () => {
    const other = await fresh();
    const foreign = other.presignPut('replies/a', contentOf(bytes));
    const store = await fresh();
    expect((await put(foreign, bytes)).status).toBe(403);
    const missing = expect.objectContaining({ code: 'missing' });
    expect(() => store.presignPart('a', '../objects', 1, contentOf(bytes))).toThrow(missing);
  });

  it('joins no small part that is not the last, as S3 does not (ministack would)', async () => {
    const store = await fresh();
    const uploadId = await store.beginMultipart('replies/a');
    const content = contentOf(bytes);
    const parts = [1, 2].map((part) => ({ part, etag: `"${content.sha256}"`, ...content }));
    for (const { part } of parts) {
      await put(store.presignPart('replies/a', uploadId, part, content), bytes);
    }
    await expect(store.completeMultipart('replies/a', uploadId, parts)).rejects.toMatchObject({
      code: 'refused',
    });
  });

  it('answers 403 to a URL that says nothing, and 411 to a body without a length', async () => {
    const store = await fresh();
    const { url } = store.presignPut('replies/a', contentOf(bytes));
    const base = url.slice(0, url.lastIndexOf('/'));
    for (const path of ['', '/', '/.', '/x.y', '/%00', '/?a.b']) {
      expect((await send('GET', base + path, {})).status).toBe(403);
    }
    const chunked = { 'transfer-encoding': 'chunked' };
    expect((await send('PUT', url, chunked, bytes)).status).toBe(411);
  });
});
