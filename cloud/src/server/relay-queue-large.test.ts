import { createHash, randomBytes } from 'node:crypto';
import type { Pull } from '@pullwire/shared';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HandReply, QueueWorld } from '../../test/queue-world.ts';
import type { HandLink } from './temporary-relay.ts';

let world: QueueWorld;

beforeEach(async () => {
  world = await QueueWorld.start();
});
afterEach(() => world.stop());

const get: RequestInit = { method: 'GET', body: null };
const queue = (path: string, init: RequestInit = get, as = world.key) =>
  world.queue(path, world.plant, as, init);

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const length = (bytes: number) => ['Content-Length', String(bytes)];

test('a large reply goes to a file as it comes, and is given from there as often as it is asked for', async () => {
  const sent = randomBytes(900_000);
  const answer = await queue('/log');
  const link = await world.link();
  const reply = new HandReply(link, await link.heard('pull'), length(sent.length));
  await reply.body(sent.subarray(0, 500_000));
  expect((await world.stateOf(answer)).state).toBe('sent');
  expect((await world.result(answer)).status).toBe(409);
  await reply.body(sent.subarray(500_000), { end: true });
  expect(await world.comesTo(answer, 'done')).toMatchObject({ status: 200, bytes: sent.length });
  for (const _ of ['once', 'again']) {
    const result = await world.result(answer);
    expect(result.headers.get('content-length')).toBe(String(sent.length));
    expect(hashOf(await result.bytes())).toBe(hashOf(sent));
  }
  const head = await world.ask(`${answer.headers.get('location')}/result`, { method: 'HEAD' });
  expect(head.headers.get('content-length')).toBe(String(sent.length));
});

test('one without a length is kept the same', async () => {
  const sent = randomBytes(300_000);
  const answer = await queue('/log');
  const link = await world.link();
  await new HandReply(link, await link.heard('pull')).body(sent, { end: true });
  await world.comesTo(answer, 'done');
  const result = await world.result(answer);
  expect(hashOf(await result.bytes())).toBe(hashOf(sent));
});

test('a large reply that is cancelled on its way leaves no file, and its agent is told', async () => {
  const answer = await queue('/log');
  const link = await world.link();
  await new HandReply(link, await link.heard('pull')).body(randomBytes(300_000));
  await expect.poll(() => world.files).toHaveLength(1);
  await world.ask(answer.headers.get('location') ?? '', { method: 'DELETE' });
  await link.heard('cancel');
  await expect.poll(() => world.files).toEqual([]);
  expect((await world.result(answer)).status).toBe(410);
});

test('one whose link is lost half-way is asked for again, and only a whole one is given', async () => {
  const sent = randomBytes(300_000);
  const answer = await queue('/log');
  const first = await world.link();
  await new HandReply(first, await first.heard('pull'), length(sent.length)).body(
    sent.subarray(0, 200_000),
  );
  await expect.poll(() => world.files).toHaveLength(1);
  first.close();
  await world.comesTo(answer, 'queued');
  await expect.poll(() => world.files).toEqual([]);
  const second = await world.link();
  const again = new HandReply(second, await second.heard('pull'), length(sent.length));
  await again.body(sent, { end: true });
  await world.comesTo(answer, 'done');
  expect(hashOf(await (await world.result(answer)).bytes())).toBe(hashOf(sent));
});

test('one that ends too early is no result', async () => {
  const answer = await queue('/log');
  const link = await world.link();
  const reply = new HandReply(link, await link.heard('pull'), length(300_000));
  await reply.body(randomBytes(200_000), { end: true });
  const failed = await world.comesTo(answer, 'failed');
  expect(failed).toMatchObject({ problem: { code: 'protocol-error' } });
  await expect.poll(() => world.files).toEqual([]);
});

test('one over queue.replyBytes ends as what it is, by its length or as it comes', async () => {
  const [declared, streamed] = [await queue('/a'), await queue('/b')];
  const link = await world.link();
  new HandReply(link, await link.heard('pull'), length(1_048_577));
  const reply = new HandReply(link, await link.heard('pull'));
  void reply.body(randomBytes(1_100_000));
  for (const answer of [declared, streamed]) {
    const failed = await world.comesTo(answer, 'failed');
    expect(failed.problem).toMatchObject({
      code: 'reply-too-large',
      detail: expect.stringContaining('queue.replyBytes'),
    });
  }
  expect(reply.sent).toBeGreaterThan(1_000_000);
  await link.heard('cancel');
  await expect.poll(() => world.files).toEqual([]);
});

test('what a caller has kept is bounded, for each by itself', async () => {
  const sent = randomBytes(900_000);
  const ask = async (as = world.key) => {
    const answer = await queue('/log', get, as);
    const pull = await link.heard('pull');
    // Of one that finds no room the rest gets no credit.
    void new HandReply(link, pull, length(sent.length)).body(sent, { end: true });
    return answer;
  };
  const link = await world.link();
  await world.comesTo(await ask(), 'done');
  await world.comesTo(await ask(), 'done');
  const failed = await world.comesTo(await ask(), 'failed');
  expect(failed.problem).toMatchObject({
    code: 'reply-not-stored',
    detail: expect.stringContaining('queue.perCallerBytes'),
  });
  expect(world.files).toHaveLength(2);
  const other = await world.addKey();
  const theirs = await ask(other);
  const place = `${theirs.headers.get('location')}/result`;
  await expect.poll(async () => (await world.ask(place, {}, other)).status).toBe(200);
});

/** The agent takes the body of a pull, with so much credit at a time. */
async function takeBody(
  link: HandLink,
  { pullId, replyTo, headers }: Pull,
  stepBytes: number,
): Promise<Buffer> {
  const total = Number(headers.at(-1));
  const pieces: Uint8Array[] = [];
  let [received, limit] = [0, stepBytes];
  link.say({ action: 'credit', pullId, replyTo, limit });
  for (;;) {
    const frame = await link.heard('body');
    pieces.push(frame.body);
    received += frame.body.length;
    expect(received).toBeLessThanOrEqual(limit);
    if (received === total) {
      if (!frame.end) await link.heard('end');
      return Buffer.concat(pieces);
    }
    if (received < limit) continue;
    limit += stepBytes;
    link.say({ action: 'credit', pullId, replyTo, limit });
  }
}

test('a large request is kept while the device is off, and goes as its agent gives credit', async () => {
  const sent = randomBytes(500_000);
  const answer = await queue('/upload', { method: 'POST', body: sent });
  expect([answer.status, world.files.length]).toEqual([202, 1]);
  const link = await world.link();
  const pull = await link.heard('pull');
  expect(pull).toMatchObject({ end: false, method: 'POST' });
  expect(pull.headers.slice(-2)).toEqual(['Content-Length', '500000']);
  expect(hashOf(await takeBody(link, pull, 70_000))).toBe(hashOf(sent));
  const { pullId, replyTo } = pull;
  link.say({ action: 'head', pullId, replyTo, seq: 0, status: 204, headers: [], end: true });
  await world.comesTo(answer, 'done');
  await expect.poll(() => world.files).toEqual([]);
});

test('one in chunks has its length when it goes', async () => {
  const sent = randomBytes(100_000);
  const chunks = new ReadableStream({
    start: (controller) => {
      controller.enqueue(sent.subarray(0, 60_000));
      controller.enqueue(sent.subarray(60_000));
      controller.close();
    },
  });
  await queue('/upload', { method: 'POST', body: chunks, duplex: 'half' });
  const link = await world.link();
  const pull = await link.heard('pull');
  expect(pull.headers.slice(-2)).toEqual(['Content-Length', '100000']);
  expect(hashOf(await takeBody(link, pull, 262_144))).toBe(hashOf(sent));
  const { pullId, replyTo } = pull;
  link.say({ action: 'head', pullId, replyTo, seq: 0, status: 204, headers: [], end: true });
});

test('a device that answers before it has all of the body gets no more of it', async () => {
  const answer = await queue('/upload', { method: 'POST', body: randomBytes(500_000) });
  const link = await world.link();
  const { pullId, replyTo } = await link.heard('pull');
  link.say({ action: 'credit', pullId, replyTo, limit: 50_000 });
  await link.heard('body');
  link.say({ action: 'head', pullId, replyTo, seq: 0, status: 403, headers: [], end: true });
  expect(await world.comesTo(answer, 'done')).toMatchObject({ status: 403 });
  await expect.poll(() => world.files).toEqual([]);
});

test('a POST whose link is lost while its body goes is unknown, and is not sent again', async () => {
  const answer = await queue('/upload', { method: 'POST', body: randomBytes(500_000) });
  const link = await world.link();
  const { pullId, replyTo } = await link.heard('pull');
  link.say({ action: 'credit', pullId, replyTo, limit: 50_000 });
  await link.heard('body');
  link.close();
  await world.comesTo(answer, 'unknown');
  expect(world.files).toEqual([]);
  const second = await world.link();
  const pong = second.ponged();
  second.ping();
  await pong;
  expect(second.unasked).toEqual([]);
});

test('a body over queue.requestBytes, one that breaks off and one without room are refused, and leave nothing', async () => {
  const large = await queue('/a', { method: 'POST', body: randomBytes(1_048_577) });
  expect([large.status, await large.json()]).toMatchObject([
    413,
    { code: 'request-body-too-large', detail: expect.stringContaining('queue.requestBytes') },
  ]);
  const leaving = new AbortController();
  const breaking = new ReadableStream({
    start: (controller) => controller.enqueue(randomBytes(200_000)),
  });
  const init = { method: 'POST', body: breaking, duplex: 'half', signal: leaving.signal } as const;
  const broken = queue('/b', init);
  await expect.poll(() => world.files).toHaveLength(1);
  leaving.abort();
  await expect(broken).rejects.toThrow();
  await expect.poll(() => world.files).toEqual([]);
  const most = () => queue('/c', { method: 'POST', body: randomBytes(1_000_000) });
  expect([(await most()).status, (await most()).status]).toEqual([202, 202]);
  const full = await most();
  expect([full.status, await full.json()]).toMatchObject([
    429,
    { code: 'queue-full', detail: expect.stringContaining('queue.perCallerBytes') },
  ]);
  expect(world.files).toHaveLength(2);
});

test('a pull that waits and is cancelled takes its body with it', async () => {
  const answer = await queue('/a', { method: 'POST', body: randomBytes(500_000) });
  expect(world.files).toHaveLength(1);
  await world.ask(answer.headers.get('location') ?? '', { method: 'DELETE' });
  expect(world.files).toEqual([]);
});
