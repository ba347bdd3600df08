import { createHash, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { collect, put, readAll } from '../../test/signed-exchange.ts';
import { type ObjectStore, type StoredPart, smallestPartBytes } from './object-store.ts';

const key = 'replies/AAECAwQFBgcICQoLDA0ODw';
const hourMs = 3_600_000;

export function multipartContract(store: () => ObjectStore): void {
  const first = randomBytes(smallestPartBytes);
  const last = Buffer.from('the end');

  const putPart = async (uploadId: string, part: number, bytes: Buffer): Promise<StoredPart> => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const content = { length: bytes.length, sha256, expiresSeconds: 900 };
    const answer = await put(store().presignPart(key, uploadId, part, content), bytes);
    expect(answer.status).toBe(200);
    return { part, sha256, etag: String(answer.headers.etag) };
  };

  it('are there when they are completed, whatever order their parts come in', async () => {
    const uploadId = await store().beginMultipart(key);
    const second = await putPart(uploadId, 2, last);
    await putPart(uploadId, 1, first);
    const again = await putPart(uploadId, 1, first);
    await expect(store().head(key)).rejects.toMatchObject({ code: 'missing' });
    await store().completeMultipart(key, uploadId, [second, again]);
    const object = await store().open(key);
    expect(object.length).toBe(first.length + last.length);
    expect((await readAll(object.body)).equals(Buffer.concat([first, last]))).toBe(true);
  });

  it('are refused with a part that is missing, or is not what was named', async () => {
    const uploadId = await store().beginMultipart(key);
    const one = await putPart(uploadId, 1, last);
    for (const wrong of [
      { ...one, part: 2 },
      { ...one, etag: '"d41d8cd98f00b204e9800998ecf8427e"' },
    ]) {
      await expect(store().completeMultipart(key, uploadId, [wrong])).rejects.toMatchObject({
        code: 'refused',
      });
    }
    await expect(store().completeMultipart(key, uploadId, [])).rejects.toMatchObject({
      code: 'refused',
    });
    await expect(store().head(key)).rejects.toMatchObject({ code: 'missing' });
  });

  it('refuse a part of other bytes', async () => {
    const uploadId = await store().beginMultipart(key);
    const sha256 = createHash('sha256').update('tHe end').digest('hex');
    const content = { length: last.length, sha256, expiresSeconds: 900 };
    expect((await put(store().presignPart(key, uploadId, 1, content), last)).status).toBe(400);
  });

  it('are gone when they are aborted', async () => {
    const uploadId = await store().beginMultipart(key);
    const one = await putPart(uploadId, 1, last);
    await store().abortMultipart(key, uploadId);
    await store().abortMultipart(key, uploadId);
    await expect(store().completeMultipart(key, uploadId, [one])).rejects.toMatchObject({
      code: 'missing',
    });
    const content = { length: last.length, sha256: one.sha256, expiresSeconds: 900 };
    expect((await put(store().presignPart(key, uploadId, 1, content), last)).status).toBe(404);
  });

  it('are listed while they are unfinished', async () => {
    const uploadId = await store().beginMultipart(key);
    const done = await store().beginMultipart('replies/done');
    await store().abortMultipart('replies/done', done);
    const list = (prefix: string, time: number) => collect(store().unfinishedBefore(prefix, time));
    const now = Date.now();
    expect(await list('replies/', now + hourMs)).toEqual([{ key, uploadId }]);
    expect(await list('replies/', now - hourMs)).toEqual([]);
    expect(await list('uploads/', now + hourMs)).toEqual([]);
  });
}
