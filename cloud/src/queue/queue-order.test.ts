import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { pullIds, type RelayMessage, type ReplyMessage } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CallScheduler, type Choose } from '../../test/call-scheduler.ts';
import { FakeTarget } from '../../test/fake-target.ts';
import { FolderObjectStore } from '../object/folder-object-store.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { type TemporaryEngine, temporaryEngine } from '../server/temporary-engine.ts';
import { BodyFrames } from './body-frames.ts';
import { DynamoQueueStore } from './dynamo-queue-store.ts';
import { replyKey, requestKey } from './kept-body.ts';
import { LargeBodies } from './large-bodies.ts';
import { ObjectQueueBodies } from './object-queue-bodies.ts';
import { QueueDelivery } from './queue-delivery.ts';
import { QueueEnds } from './queue-ends.ts';
import { QueueLog } from './queue-events.ts';
import type { QueueStore } from './queue-store.ts';
import { QueueUploads } from './queue-uploads.ts';
import { QueuedGrants } from './queued-grant.ts';
import type { QueuedPull } from './queued-pull.ts';
import { queuedPull } from './queued-sample.ts';

let temporary: TemporaryEngine;
let client: DynamoDBClient;
let folder: string;
let objects: FolderObjectStore;
beforeAll(async () => {
  temporary = await temporaryEngine();
  client = temporary.engine.createClient();
  folder = mkdtempSync(join(tmpdir(), 'pullwire-order-'));
  const clock = new ManualClock();
  objects = new FolderObjectStore({
    ...{ folder, clock, newId: randomUUID, secret: randomBytes(32) },
    baseUrl: () => 'http://127.0.0.1:1',
  });
  await objects.start();
});
afterAll(async () => {
  client.destroy();
  await temporary.remove();
  rmSync(folder, { recursive: true });
});

const log = new QueueLog(pino({ level: 'silent' }));
const newPullId = pullIds(randomBytes);

/** A device with one link, and any number of functions that look after its queue, each with its own memory. */
class QueueBench {
  readonly clock = new ManualClock();
  readonly scheduler = new CallScheduler();
  readonly target = new FakeTarget('plant-7', ['web'], 'pullwire.v1+json');
  readonly plain: QueueStore;
  readonly #guarded: QueueStore;
  readonly ends: QueueEnds;
  readonly large: LargeBodies;
  /** What was said to the link besides pulls. */
  readonly said: RelayMessage[] = [];

  constructor() {
    this.plain = new DynamoQueueStore({ client, name: table });
    this.#guarded = this.scheduler.guard(this.plain);
    this.large = new LargeBodies({
      store: this.#guarded,
      bodyStore: new ObjectQueueBodies(async () => this.objects),
      ...{ clock: this.clock, log, perCallerBytes: 1_000_000 },
    });
    this.ends = new QueueEnds({
      store: this.#guarded,
      large: this.large,
      clock: this.clock,
      log,
    });
  }

  /** A read of a body is one call. */
  get #reads(): Pick<LargeBodies, 'piece'> {
    const bodyStore = new ObjectQueueBodies(async () => objects);
    const { plain: store, clock } = this;
    return this.scheduler.guard(
      new LargeBodies({ ...{ store, bodyStore, clock, log }, perCallerBytes: 1_000_000 }),
    );
  }

  /** One environment of a function. */
  function(): QueueDelivery {
    const find = async () => ({
      device: 'plant-7',
      labels: {},
      targets: [this.target],
      offline: { since: undefined, why: '' },
    });
    const say = async (_: string, message: RelayMessage) => {
      this.said.push(message);
    };
    const record = { device: 'plant-7', publicKey: 'k', labels: {}, createdAt: 0 };
    return new QueueDelivery({
      store: this.#guarded,
      ends: this.ends,
      grants: new QueuedGrants({
        registry: { deviceRecord: async () => record, keyByHash: async () => undefined },
        wall: () => this.clock.wall(),
      }),
      devices: { find, findAnew: find },
      clock: this.clock,
      log,
      pullsPerLink: 512,
      own: undefined,
      bodies: new BodyFrames({ store: this.#guarded, large: this.#reads, say }),
      uploads: new QueueUploads({
        store: this.#guarded,
        large: this.large,
        objects: async () => this.objects,
        ...{ replyBytes: 1_000_000, say },
      }),
      newPullId,
      replyTo: () => 'signed',
      say,
      random: () => 0,
      track: () => undefined,
    });
  }

  /** Signing is no call: nobody waits for it. */
  get objects(): FolderObjectStore {
    const presignPut = objects.presignPut.bind(objects);
    return Object.assign(Object.create(this.scheduler.guard(objects)), { presignPut });
  }

  /** How often each path was sent to the device. */
  get sent(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const frame of this.target.sent) {
      if (frame.action === 'pull') counts[frame.path] = (counts[frame.path] ?? 0) + 1;
    }
    return counts;
  }
}

let table = '';
const random = (seed: number): Choose => {
  let state = seed;
  return (of) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % of;
  };
};

/** Without a key's hash nothing but the device is looked at again. */
function waiting(changes: Partial<QueuedPull>): QueuedPull {
  const { keyHash: _, ...pull } = queuedPull({ deadlineAt: 4_000_000_000_000, ...changes });
  return { ...pull, keptUntil: 4_000_000_000_000 };
}

const long = process.env['PULLWIRE_LONG'] === '1';
const seeds = Array.from({ length: long ? 300 : 20 }, (_, at) => at + 1);

describe('whatever the order of their calls', () => {
  beforeAll(async () => {
    table = randomUUID();
    await new DynamoRegistry({ client, name: table, mayCreateTable: true }).ensureSchema();
  });

  test.each(seeds)(
    'of three functions that hear of a link at once one sends each POST (%i)',
    async (seed) => {
      const bench = new QueueBench();
      const pulls = [1, 2, 3].map((at) => waiting({ queuedAt: seed * 100 + at, path: `/${at}` }));
      for (const pull of pulls) await bench.plain.addPull(pull);
      const all = [1, 2, 3].map(() => bench.function().deliver('plant-7'));
      await bench.scheduler.run(random(seed));
      await Promise.all(all);
      expect(bench.sent).toEqual({ '/1': 1, '/2': 1, '/3': 1 });
      for (const pull of pulls) {
        const now = await bench.plain.queuedPull(pull, 0);
        expect(now).toMatchObject({ state: 'sent', sends: 1 });
        if (now?.sending) await bench.plain.endPull(pull, now.sending, lost, 1);
      }
    },
  );

  test.each(seeds)(
    'a pull is cancelled or answered, and never sent after either (%i)',
    async (seed) => {
      const bench = new QueueBench();
      const pull = waiting({ queuedAt: 1_000_000 + seed, path: '/x' });
      await bench.plain.addPull(pull);
      const work = [
        bench.function().deliver('plant-7'),
        bench.ends.cancel(pull),
        bench.function().deliver('plant-7'),
      ];
      await bench.scheduler.run(random(seed));
      const [, cancelled] = await Promise.all(work);
      expect(bench.sent['/x'] ?? 0).toBe(cancelled ? 0 : 1);
      const now = await bench.plain.queuedPull(pull, 0);
      expect(now?.state).toBe(cancelled ? 'cancelled' : 'sent');
      if (now?.sending) await bench.plain.endPull(pull, now.sending, lost, 1);
    },
  );

  test.each(seeds)(
    'frames that come doubled, at several functions, make one reply (%i)',
    async (seed) => {
      const bench = new QueueBench();
      const pull = waiting({ queuedAt: 2_000_000 + seed });
      const sentAs = newPullId();
      const sending = { sentAs, sentAt: 0, answerBy: 4_000_000_000_000, connectionId: 'c1' };
      await bench.plain.addPull(pull);
      await bench.plain.markSent(pull, sending);
      const common = { pullId: sentAs, replyTo: 'signed' };
      const body = (seq: number): ReplyMessage => ({
        ...{ ...common, action: 'body', seq, end: seq === 2 },
        body: Buffer.from(`part ${seq} `),
      });
      const head: ReplyMessage = {
        ...{ ...common, action: 'head', seq: 0, status: 200 },
        ...{ headers: [], end: false },
      };
      const frames = [body(2), head, body(1), body(2), head, body(1)];
      const verdicts = frames.map((frame) => bench.function().replies.take(pull, frame, 0));
      await bench.scheduler.run(random(seed));
      expect(await Promise.all(verdicts)).toContain('ended');
      const now = await bench.plain.queuedPull(pull, 0);
      expect(now?.end).toMatchObject({ state: 'done', reply: { status: 200, bytes: 14 } });
    },
  );

  test('frames get more credit as they are kept, until they are more than goes by frames', async () => {
    const bench = new QueueBench();
    const pull = waiting({ queuedAt: 5_000_000 });
    const sentAs = newPullId();
    await bench.plain.addPull(pull);
    await bench.plain.markSent(pull, { sentAs, sentAt: 0, answerBy: 1, connectionId: 'c1' });
    const take = async (message: ReplyMessage) => {
      const taken = bench.function().replies.take(pull, message, 0);
      await bench.scheduler.run(() => 0);
      return taken;
    };
    const common = { pullId: sentAs, replyTo: 'signed', end: false };
    await take({ ...common, action: 'head', seq: 0, status: 200, headers: [] });
    let seq = 1;
    for (; seq <= 47; seq += 1) {
      expect(await take({ ...common, action: 'body', seq, body: Buffer.alloc(22_000) })).toBe(
        'more',
      );
    }
    const limits = bench.said.map((message) => message.action === 'credit' && message.limit);
    expect(limits).toEqual(Array.from({ length: 46 }, (_, at) => (at + 2) * 22_000 + 88_000));
    const last = { ...common, action: 'body', seq, body: Buffer.alloc(22_000), end: true } as const;
    expect(await take(last)).toBe('ended');
    const end = (await bench.plain.queuedPull(pull, 0))?.end;
    expect(end?.fault).toMatchObject({ code: 'reply-too-large' });
    expect(bench.said.at(-1)).toMatchObject({ action: 'cancel' });
  });

  test.each(seeds)(
    'a large request goes in the frames that its agent gave credit for, each once (%i)',
    async (seed) => {
      const bench = new QueueBench();
      const body = randomBytes(300_000);
      const large = { body: new Uint8Array(0), besideBytes: body.length };
      const pull = waiting({ queuedAt: 6_000_000 + seed, owner: `key-${seed}`, ...large });
      const sentAs = newPullId();
      await bench.plain.addPull(pull);
      await bench.plain.markSent(pull, { sentAs, sentAt: 0, answerBy: 1, connectionId: 'c1' });
      await objects.put(requestKey(pull), body);
      const credits = [50_000, 262_144, 200_000, 262_144, 400_000, 400_000];
      const takes = credits.map((limit) => {
        const credit = { action: 'credit', pullId: sentAs, replyTo: 'signed', limit } as const;
        return bench.function().replies.take(pull, credit, 0);
      });
      await bench.scheduler.run(random(seed));
      expect(new Set(await Promise.all(takes))).toEqual(new Set(['more']));
      const frames = bench.said.filter((message) => message.action === 'body');
      const ordered = frames.toSorted((one, other) => one.seq - other.seq);
      expect(ordered.map(({ seq }) => seq)).toEqual(frames.map((_, at) => at + 1));
      expect(Buffer.concat(ordered.map((frame) => frame.body)).equals(body)).toBe(true);
      expect(ordered.map(({ end }) => end).lastIndexOf(false)).toBe(ordered.length - 2);
    },
  );

  test.each(seeds)(
    'a reply by object storage is kept once, whatever function hears of it first (%i)',
    async (seed) => {
      const bench = new QueueBench();
      const pull = waiting({ queuedAt: 4_000_000 + seed, owner: `key-${seed}` });
      const sentAs = newPullId();
      const sending = { sentAs, sentAt: 0, answerBy: 4_000_000_000_000, connectionId: 'c1' };
      await bench.plain.addPull(pull);
      await bench.plain.markSent(pull, sending);
      const body = randomBytes(100_000);
      await objects.put(replyKey(sentAs), body); // what the agent has put by the time it says `complete`
      const common = { pullId: sentAs, replyTo: 'signed' };
      const sha256 = createHash('sha256').update(body).digest('hex');
      const length = body.length;
      const messages: ReplyMessage[] = [
        { ...common, action: 'head', seq: 0, status: 200, headers: [], end: false },
        { ...common, action: 'upload', part: 1, length, sha256, more: false },
        { ...common, action: 'complete', parts: [{ part: 1, etag: `"${sha256}"` }], length },
      ];
      // No part is complete before it was announced: all else may change places.
      await announced(bench, pull, messages[1]);
      const verdicts = [...messages, ...messages].map((message) =>
        bench.function().replies.take(pull, message, 0),
      );
      await bench.scheduler.run(random(seed));
      expect(await Promise.all(verdicts)).toContain('ended');
      const now = await bench.plain.queuedPull(pull, 0);
      expect(now?.end).toMatchObject({ state: 'done', reply: { bytes: length, beside: true } });
      expect(await objects.head(replyKey(sentAs))).toBe(length);
      expect(bench.said.map(({ action }) => action)).not.toContain('cancel');
    },
  );

  test('a POST that was marked by a process that died is unknown, a GET goes again, each by one write', async () => {
    for (const [queuedAt, method, sends, state] of [
      [3_000_001, 'POST', 0, 'unknown'],
      [3_000_002, 'GET', 0, 'queued'],
      [3_000_003, 'GET', 2, 'unknown'],
    ] as const) {
      const bench = new QueueBench();
      const pull = waiting({ queuedAt, method, sends });
      const sending = { sentAs: newPullId(), sentAt: 0, answerBy: 5_000, connectionId: 'c1' };
      await bench.plain.addPull(pull);
      await bench.plain.markSent(pull, sending);
      const marked = await bench.plain.queuedPull(pull, 0);
      if (marked === undefined) throw new Error('it is gone');
      bench.clock.advance(4_000);
      const early = bench.function().settle(marked);
      await bench.scheduler.run(() => 0);
      expect((await early).state).toBe('sent');
      bench.clock.advance(10_000_000);
      const both = [bench.function().settle(marked), bench.function().settle(marked)];
      await bench.scheduler.run(() => 0);
      for (const settled of await Promise.all(both)) expect(settled.state).toBe(state);
      expect(bench.sent).toEqual({});
      const left = await bench.plain.queuedPull(pull, 0);
      if (left?.state === 'queued') await bench.plain.endPull(left, 'queued', lost, 1);
    }
  });
});

async function announced(bench: QueueBench, pull: QueuedPull, message?: ReplyMessage) {
  if (message === undefined) return;
  const first = bench.function().replies.take(pull, message, 0);
  await bench.scheduler.run(() => 0);
  await first;
  expect(bench.said).toMatchObject([{ action: 'put', part: 1 }]);
}

const lost = { state: 'failed', endedAt: 1 } as const;
