import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { put, readAll } from '../../test/signed-exchange.ts';
import { FolderObjectDoor } from './folder-object-door.ts';
import { FolderObjectStore } from './folder-object-store.ts';
import { uploadKey } from './upload-ticket.ts';
import { type FoundUpload, type UploadRefusal, UploadTickets } from './upload-tickets.ts';

const bytes = Buffer.from('a large body');
const content = { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };

let folder = '';
let server: Server;
let clock: ManualClock;
let store: FolderObjectStore;
let tickets: UploadTickets;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-uploads-'));
  clock = new ManualClock();
  store = new FolderObjectStore({
    folder,
    baseUrl: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secret: randomBytes(32),
    clock,
    newId: randomUUID,
  });
  await store.start();
  const door = new FolderObjectDoor(store, clock);
  server = createServer((request, response) => void door.serve(request, response));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  tickets = new UploadTickets({
    store,
    keys: [uploadKey('1', randomBytes(32))],
    clock,
    newId: () => randomBytes(16).toString('base64url'),
  });
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

/** As a pull does it. */
async function claim(id: string, caller: string): Promise<FoundUpload | UploadRefusal> {
  const found = await tickets.find(id, caller);
  return typeof found === 'string' || (await tickets.take(found)) ? found : 'used';
}

describe('an upload', () => {
  it('is put, and then claimed by its owner', async () => {
    const { id, put: signed, expiresAt } = tickets.issue('ops', content);
    expect(expiresAt).toBe(900);
    expect((await put(signed, bytes)).status).toBe(200);
    const claimed = (await claim(id, 'ops')) as FoundUpload;
    expect(claimed).toEqual({ key: expect.stringMatching(/^uploads\//), length: bytes.length });
    expect(await readAll((await store.open(claimed.key)).body)).toEqual(bytes);
  });

  it('is claimed once, also by many at once and after its bytes are gone', async () => {
    const { id, put: signed } = tickets.issue('ops', content);
    await put(signed, bytes);
    const claims = await Promise.all([1, 2, 3].map(() => claim(id, 'ops')));
    const taken = claims.filter((claim) => typeof claim !== 'string');
    expect(taken).toHaveLength(1);
    expect(claims.filter((claim) => claim === 'used')).toHaveLength(2);
    await store.remove((taken[0] as FoundUpload).key);
    expect(await claim(id, 'ops')).toBe('used');
  });

  it('is not spent by a look', async () => {
    const { id, put: signed } = tickets.issue('ops', content);
    await put(signed, bytes);
    expect(await tickets.find(id, 'ops')).toEqual(await tickets.find(id, 'ops'));
    expect(await claim(id, 'ops')).toMatchObject({ length: bytes.length });
  });

  it('can be claimed later where nothing was put yet', async () => {
    const { id, put: signed } = tickets.issue('ops', content);
    await expect(claim(id, 'ops')).rejects.toMatchObject({ code: 'missing' });
    await put(signed, bytes);
    expect(await claim(id, 'ops')).toMatchObject({ length: bytes.length });
  });

  it('is nobody else’s, and not spent by their tries', async () => {
    const { id, put: signed } = tickets.issue('ops', content);
    await put(signed, bytes);
    expect(await claim(id, 'eve')).toBe('not-yours');
    expect(await claim('nonsense', 'ops')).toBe('malformed');
    expect(await claim(id, 'ops')).toMatchObject({ length: bytes.length });
  });

  it('ends after a quarter of an hour, for its bytes and for its claim', async () => {
    const { id, put: signed } = tickets.issue('ops', content);
    clock.advance(900_000);
    expect((await put(signed, bytes)).status).toBe(403);
    expect(await claim(id, 'ops')).toBe('expired');
  });

  it('of a length or hash that is none is refused', () => {
    const refused = expect.objectContaining({ code: 'refused' });
    expect(() => tickets.issue('ops', { ...content, length: -1 })).toThrow(refused);
    expect(() => tickets.issue('ops', { ...content, sha256: 'x' })).toThrow(refused);
  });
});
