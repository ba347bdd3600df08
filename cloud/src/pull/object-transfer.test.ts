import { Readable } from 'node:stream';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, it } from 'vitest';
import { BufferedAnswer } from '../lambda/answer-way.ts';
import type { HttpEvent } from '../lambda/event.ts';
import { LambdaExchange } from '../lambda/lambda-exchange.ts';
import { ObjectReply, type ReplyStore } from './object-reply.ts';
import { ObjectTransfer } from './object-transfer.ts';
import { ReplyToCaller } from './reply-to-caller.ts';

const pull = { pullId: 'p1', replyTo: 'r1' };
const sha256 = 'a'.repeat(64);
const event: HttpEvent = {
  version: '2.0',
  rawPath: '/x',
  rawQueryString: '',
  headers: {},
  requestContext: {
    domainName: 'd',
    requestId: 'r',
    timeEpoch: 0,
    http: { method: 'GET', path: '/x', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' },
  },
  isBase64Encoded: false,
};

/** A host that streams at most 10 bytes, and a reply of 11. */
function bench(status: number) {
  const removed: string[] = [];
  const errors: unknown[] = [];
  const work: Promise<unknown>[] = [];
  const store = {
    presignPut: () => ({ url: 'https://store/put', headers: {} }),
    open: async () => ({ length: 11, body: Readable.from([Buffer.from('hello world')]) }),
    presignGet: (key, { headers }) => `https://store/${key}?type=${headers?.['content-type']}`,
    remove: async (key) => {
      removed.push(key);
    },
  } as Partial<ReplyStore> as ReplyStore;
  const way = new BufferedAnswer();
  const exchange = new LambdaExchange(event, way, new ManualClock());
  const reply = new ReplyToCaller(exchange, pull.pullId, 88_000, {
    elapsed: () => 0,
    grant: () => undefined,
    begun: () => undefined,
    ended: () => transfer.stop(),
  });
  const transfer = new ObjectTransfer(
    { object: new ObjectReply(store, pull.pullId), exchange, reply, streamBytes: 10 },
    {
      put: () => undefined,
      failed: (error) => errors.push(error),
      moved: () => undefined,
      track: (running) => work.push(running),
    },
  );
  const run = async () => {
    const headers = ['Content-Type', 'x/y', 'Content-Length', '11'];
    reply.receive({ action: 'head', ...pull, seq: 0, status, headers, end: false });
    transfer.upload({ action: 'upload', ...pull, part: 1, length: 11, sha256, more: false });
    await work[0];
    const parts = [{ part: 1, etag: '"e"' }];
    transfer.complete({ action: 'complete', ...pull, parts, length: 11 });
    await exchange.finished;
    await Promise.all(work);
    return way.result;
  };
  return { run, removed, errors };
}

describe('a reply larger than its host may stream', () => {
  it('is answered by 303: the caller fetches it from the storage, where it stays', async () => {
    const b = bench(200);
    const { statusCode, headers, body } = await b.run();
    expect([statusCode, body]).toEqual([303, '']);
    expect(headers).toMatchObject({
      location: 'https://store/replies/p1?type=x/y',
      'cache-control': 'no-store',
      'pullwire-answered-by': 'relay',
      'pullwire-pull': 'p1',
    });
    expect([b.removed, b.errors]).toEqual([[], []]);
  });

  it('is streamed all the same where its status would be lost', async () => {
    const b = bench(206);
    const { statusCode, body } = await b.run();
    expect([statusCode, Buffer.from(body, 'base64').toString()]).toEqual([206, 'hello world']);
    expect(b.removed).toEqual(['replies/p1']);
  });
});
