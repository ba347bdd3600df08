import { createHash, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { collect, put, readAll, send } from '../../test/signed-exchange.ts';
import type { ObjectStore, SignedContent } from './object-store.ts';
import { multipartContract } from './object-store-contract-multipart.ts';

/** What every object storage does, whatever keeps it. `fresh` gives one that is empty. */
export function objectStoreContract(name: string, fresh: () => Promise<ObjectStore>): void {
  describe(`${name} keeps the contract of an object storage`, () => {
    let store: ObjectStore;
    beforeEach(async () => {
      store = await fresh();
    });
    describe('whole objects', () => putContract(() => store));
    describe('reading', () => readContract(() => store));
    describe('objects of several parts', () => multipartContract(() => store));
    describe('what is refused before it is tried', () => refusalContract(() => store));
    describe('listing', () => listContract(() => store));
  });
}

/** What a signed URL for these bytes is asked with. */
export function contentOf(bytes: Uint8Array, expiresSeconds = 900): SignedContent {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { length: bytes.length, sha256, expiresSeconds };
}

const key = 'replies/AAECAwQFBgcICQoLDA0ODw';

function putContract(store: () => ObjectStore): void {
  const bytes = Buffer.from('temperature 21.5\n');

  it('takes what was signed, and gives it back', async () => {
    const answer = await put(store().presignPut(key, contentOf(bytes)), bytes);
    expect(answer.status).toBe(200);
    expect(answer.headers.etag).toMatch(/^"[0-9a-f-]+"$/);
    expect(await store().head(key)).toBe(bytes.length);
    const object = await store().open(key);
    expect(object.length).toBe(bytes.length);
    expect(await readAll(object.body)).toEqual(bytes);
  });

  it('gives some bytes of an object', async () => {
    await store().put(key, bytes);
    for (const [from, to] of [
      [0, 1],
      [3, 11],
      [bytes.length - 1, bytes.length],
    ] as const) {
      const object = await store().open(key, { from, to });
      expect([object.length, await readAll(object.body)]).toEqual([
        to - from,
        bytes.subarray(from, to),
      ]);
    }
  });

  it('takes bytes as they are, in place of others', async () => {
    for (const body of [randomBytes(1_000_000), Buffer.alloc(0), bytes]) {
      await store().put(key, body);
      const object = await store().open(key);
      expect(object.length).toBe(body.length);
      expect((await readAll(object.body)).equals(body)).toBe(true);
    }
  });

  it('takes an object of no bytes', async () => {
    const nothing = Buffer.alloc(0);
    expect((await put(store().presignPut(key, contentOf(nothing)), nothing)).status).toBe(200);
    expect(await store().head(key)).toBe(0);
    expect(await readAll((await store().open(key)).body)).toEqual(nothing);
  });

  it('takes the same bytes again, as of a sender that did not hear the first answer', async () => {
    const signed = store().presignPut(key, contentOf(bytes));
    const answers = await Promise.all([put(signed, bytes), put(signed, bytes)]);
    answers.push(await put(signed, bytes));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ headers }) => headers.etag)).size).toBe(1);
    expect(await readAll((await store().open(key)).body)).toEqual(bytes);
  });

  it('refuses other bytes of the same length', async () => {
    const forged = Buffer.from('temperature 99.9\n');
    const signed = store().presignPut(key, contentOf(bytes));
    expect((await put(signed, forged)).status).toBe(400);
    const { 'x-amz-checksum-sha256': theirs } = store().presignPut(key, contentOf(forged)).headers;
    const headers = { ...signed.headers, 'x-amz-checksum-sha256': String(theirs) };
    expect((await put({ ...signed, headers }, forged)).status).toBe(403);
    await expect(store().head(key)).rejects.toMatchObject({ code: 'missing' });
  });

  it('refuses another length', async () => {
    const signed = store().presignPut(key, contentOf(bytes));
    const short = bytes.subarray(1);
    const headers = { ...signed.headers, 'content-length': String(short.length) };
    expect((await put({ ...signed, headers }, short)).status).toBe(403);
    await expect(store().head(key)).rejects.toMatchObject({ code: 'missing' });
  });

  it('refuses a signed header that was left out', async () => {
    const signed = store().presignPut(key, contentOf(bytes));
    const { 'x-amz-checksum-sha256': _, ...headers } = signed.headers;
    expect((await put({ ...signed, headers }, bytes)).status).toBe(403);
    await expect(store().head(key)).rejects.toMatchObject({ code: 'missing' });
  });

  it('refuses a URL that was changed, or is used for something else', async () => {
    const signed = store().presignPut(key, contentOf(bytes));
    const changed = signed.url.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    expect((await put({ ...signed, url: changed }, bytes)).status).toBe(403);
    expect((await send('GET', signed.url, {})).status).toBe(403);
    const reading = store().presignGet(key, { expiresSeconds: 900 });
    expect((await put({ ...signed, url: reading }, bytes)).status).toBe(403);
  });

  it('refuses a URL that has expired', async () => {
    const signed = store().presignPut(key, contentOf(bytes, 0));
    expect((await put(signed, bytes)).status).toBe(403);
  });

  it('gives a claim to one of many', async () => {
    const claims = await Promise.all(Array.from({ length: 5 }, () => store().claim(key)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await store().claim(key)).toBe(false);
    expect(await store().head(key)).toBe(0);
    await store().remove(key);
    expect(await store().claim(key)).toBe(true);
  });

  it('removes an object, and does not mind one that is not there', async () => {
    await put(store().presignPut(key, contentOf(bytes)), bytes);
    await store().remove(key);
    await store().remove(key);
    await expect(store().open(key)).rejects.toMatchObject({ code: 'missing' });
  });
}

function readContract(store: () => ObjectStore): void {
  const bytes = randomBytes(3 * 1024 * 1024);
  beforeEach(async () => {
    await put(store().presignPut(key, contentOf(bytes)), bytes);
  });

  it('gives a large object as it is', async () => {
    expect((await readAll((await store().open(key)).body)).equals(bytes)).toBe(true);
  });

  it('can be ended early, and begun again', async () => {
    for await (const piece of (await store().open(key)).body) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    expect((await readAll((await store().open(key)).body)).equals(bytes)).toBe(true);
  });

  it('is open to anybody with a signed URL, with the headers that were signed', async () => {
    const headers = { 'content-type': 'text/csv; a="b"', 'content-encoding': 'x-none' };
    const answer = await send('GET', store().presignGet(key, { expiresSeconds: 900, headers }), {});
    expect(answer).toMatchObject({ status: 200, headers });
    expect(answer.headers['content-length']).toBe(String(bytes.length));
    expect(answer.body.equals(bytes)).toBe(true);
  });

  it('is closed again when the URL has expired', async () => {
    const url = store().presignGet(key, { expiresSeconds: 0 });
    expect((await send('GET', url, {})).status).toBe(403);
  });

  it('says `missing` for an object that is not there', async () => {
    await expect(store().open('replies/none')).rejects.toMatchObject({ code: 'missing' });
    await expect(store().head('replies/none')).rejects.toMatchObject({ code: 'missing' });
    const url = store().presignGet('replies/none', { expiresSeconds: 900 });
    expect((await send('GET', url, {})).status).toBe(404);
  });
}

function refusalContract(store: () => ObjectStore): void {
  const content = contentOf(Buffer.from('x'));
  const refused = expect.objectContaining({ code: 'refused' });

  it.each(['', '/', 'a/', '/a', 'a//b', '../a', 'a/../b', 'a/.b', 'a b', 'a%2e', 'é', 'a?b'])(
    'a key such as %j',
    async (bad) => {
      expect(() => store().presignPut(bad, content)).toThrow(refused);
      expect(() => store().presignGet(bad, { expiresSeconds: 1 })).toThrow(refused);
      await expect(store().open(bad)).rejects.toEqual(refused);
      await expect(store().put(bad, Buffer.from('x'))).rejects.toEqual(refused);
      await expect(store().remove(bad)).rejects.toEqual(refused);
      await expect(store().claim(bad)).rejects.toEqual(refused);
      await expect(store().beginMultipart(bad)).rejects.toEqual(refused);
    },
  );

  it('a length, a hash, a part or a header that is none', () => {
    expect(() => store().presignPut(key, { ...content, length: -1 })).toThrow(refused);
    expect(() => store().presignPut(key, { ...content, length: 1.5 })).toThrow(refused);
    expect(() => store().presignPut(key, { ...content, sha256: 'x' })).toThrow(refused);
    for (const part of [0, 10_001, Number.NaN]) {
      expect(() => store().presignPart(key, 'id', part, content)).toThrow(refused);
    }
    const headers = { 'content-type': 'a\r\nb' };
    expect(() => store().presignGet(key, { expiresSeconds: 1, headers })).toThrow(refused);
  });
}

function listContract(store: () => ObjectStore): void {
  const hourMs = 3_600_000;
  const list = async (prefix: string, time: number) =>
    (await collect(store().olderThan(prefix, time))).sort();

  it('names the objects below a prefix that are older than a time', async () => {
    const bytes = Buffer.from('x');
    for (const name of ['replies/b', 'replies/a', 'uploads/c']) {
      await put(store().presignPut(name, contentOf(bytes)), bytes);
    }
    const now = Date.now();
    expect(await list('replies/', now + hourMs)).toEqual(['replies/a', 'replies/b']);
    expect(await list('uploads/', now + hourMs)).toEqual(['uploads/c']);
    expect(await list('replies/', now - hourMs)).toEqual([]);
    expect(await list('nothing/', now + hourMs)).toEqual([]);
  });
}
