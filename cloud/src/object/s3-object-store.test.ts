import { randomUUID } from 'node:crypto';
import { systemClock } from '@pullwire/shared';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  type ScriptedAnswer,
  type ScriptedServer,
  scripted,
  scriptedServer,
} from '../../test/scripted-server.ts';
import { collect, readAll } from '../../test/signed-exchange.ts';
import { AwsClient } from './https-aws-client.ts';
import { objectStoreContract } from './object-store-contract.ts';
import { S3ObjectStore } from './s3-object-store.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test', sessionToken: undefined };
const region = 'us-east-1';
const parts = { clock: systemClock, random: () => 0 };

const endpoint = process.env['PULLWIRE_MINISTACK_URL'];
if (endpoint === undefined) {
  describe('S3', () => {
    it('keeps the contract of an object storage', ({ skip }) => {
      skip('PULLWIRE_MINISTACK_URL names no ministack to test against');
    });
  });
} else {
  const opened: S3ObjectStore[] = [];
  afterAll(() => {
    for (const store of opened) store.stop();
  });

  objectStoreContract(`S3 at ${endpoint}`, async () => {
    const bucket = randomUUID();
    const client = new AwsClient({ scope: { credentials, region, service: 's3' }, ...parts });
    const answer = await client.call({ method: 'PUT', url: new URL(`${endpoint}/${bucket}`) });
    await collect(answer.body);
    client.stop();
    const store = new S3ObjectStore({ bucket, region, endpoint, credentials, ...parts });
    opened.push(store);
    return store;
  });
}

describe('a bucket', () => {
  let server: ScriptedServer;
  let store: S3ObjectStore;

  afterEach(() => {
    store.stop();
    server.close();
  });

  async function start(...answers: ScriptedAnswer[]): Promise<void> {
    server = await scriptedServer(...answers);
    const { url: endpoint } = server;
    store = new S3ObjectStore({ ...parts, bucket: 'b', region, endpoint, credentials });
  }

  const errorBody = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`;
  const part = { part: 1, etag: '"a&b"', sha256: 'ab'.repeat(32) };

  it.each([
    [403, 'AccessDenied', 'refused'],
    [404, 'NoSuchKey', 'missing'],
    [301, 'PermanentRedirect', 'failed'],
    [412, 'PreconditionFailed', 'refused'],
  ])('that answers %i is %s: `%s`, and the cause is kept', async (status, name, code) => {
    await start(scripted(status, errorBody(name)));
    await expect(store.open('k')).rejects.toMatchObject({ code, cause: { status, code: name } });
  });

  it.each([
    ['InternalError', 'unavailable'],
    ['NoSuchUpload', 'missing'],
    ['InvalidPart', 'refused'],
  ])('may find the fault %s after it answered 200', async (name, code) => {
    await start(scripted(200, errorBody(name)));
    await expect(store.completeMultipart('k', 'u', [part])).rejects.toMatchObject({ code });
  });

  it('completes an upload with its parts in order, escaped', async () => {
    let sent = '';
    const take: ScriptedAnswer = (response, request) => {
      request.setEncoding('utf8').on('data', (text: string) => {
        sent += text;
      });
      request.on('end', () => response.end());
    };
    await start(take);
    await store.completeMultipart('k', 'u/1+', [{ ...part, part: 2 }, part]);
    expect(server.requests).toEqual(['POST /b/k?uploadId=u%2F1%2B']);
    expect([...sent.matchAll(/<PartNumber>(\d)<.*?<ETag>(.*?)</g)].map((m) => m.slice(1))).toEqual([
      ['1', '&#34;a&#38;b&#34;'],
      ['2', '&#34;a&#38;b&#34;'],
    ]);
  });

  it('that cannot be reached is `unavailable`', async () => {
    await start(scripted(200));
    server.close();
    await expect(store.head('k')).rejects.toMatchObject({
      code: 'unavailable',
      message: 'the object storage cannot be used: ECONNREFUSED',
    });
  });

  it('that breaks off in the middle of an object is `unavailable`', async () => {
    const cut: ScriptedAnswer = (response) => {
      response.writeHead(200, { 'content-length': 10 }).write('abc', () => response.destroy());
    };
    await start(cut);
    const { length, body } = await store.open('k');
    expect(length).toBe(10);
    await expect(readAll(body)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('that answers without what was asked for has `failed`', async () => {
    await start(scripted(200, '<Other/>', { 'transfer-encoding': 'chunked' }));
    await expect(store.beginMultipart('k')).rejects.toMatchObject({ code: 'failed' });
    await expect(store.head('k')).rejects.toMatchObject({ code: 'failed' });
  });

  it('is listed page by page', async () => {
    const entry = (key: string, date: string) =>
      `<Contents><Key>${key}</Key><LastModified>${date}</LastModified></Contents>`;
    const first =
      `<ListBucketResult>${entry('replies/a', '2026-01-01T00:00:00.000Z')}` +
      '<NextContinuationToken>t&amp;1=</NextContinuationToken></ListBucketResult>';
    const second = `<ListBucketResult>${entry('replies/b', '2026-01-02T00:00:00.000Z')}</ListBucketResult>`;
    await start(scripted(200, first), scripted(200, second));
    const time = Date.parse('2026-01-01T12:00:00Z');
    expect(await collect(store.olderThan('replies/', time))).toEqual(['replies/a']);
    expect(server.requests).toEqual([
      'GET /b/?list-type=2&prefix=replies%2F',
      'GET /b/?list-type=2&prefix=replies%2F&continuation-token=t%261%3D',
    ]);
  });

  it('is asked for its unfinished uploads page by page', async () => {
    const page = (id: string, more: string) =>
      `<R><Upload><Key>k</Key><UploadId>${id}</UploadId><Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload>${more}</R>`;
    const more =
      '<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker>';
    await start(scripted(200, page('u1', more)), scripted(200, page('u2', '')));
    expect(await collect(store.unfinishedBefore('', Date.now()))).toEqual([
      { key: 'k', uploadId: 'u1' },
      { key: 'k', uploadId: 'u2' },
    ]);
    expect(server.requests[1]).toBe('GET /b/?uploads=&prefix=&key-marker=k&upload-id-marker=u1');
  });
});
