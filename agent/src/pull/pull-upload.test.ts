import { createHash } from 'node:crypto';
import type { Pull, Put, Upload } from '@pullwire/shared';
import { PullFault } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { FakeStore } from '../reply/fake-store.ts';
import { PartStoreError } from '../reply/part-store.ts';
import type { PullAudit } from './agent-pull.ts';
import { bytes, FakeLink, FakeSource, pull, turn } from './fake-link.ts';
import { PullDesk } from './pull-desk.ts';

/** Parts of 8 bytes, frames of 10; pulls have a credit of 20. */
function bench() {
  const clock = new ManualClock();
  const source = new FakeSource();
  const link = new FakeLink();
  link.features = { resend: false, upload: true };
  const store = new FakeStore();
  const audit: PullAudit[] = [];
  const policy = { requestBytes: 0, admit: () => ({ segments: [], release: () => {} }) };
  const desk = new PullDesk({
    sources: new Map([['metrics', { source, policy }]]),
    maxPulls: 16,
    clock,
    parts: store,
    partBytes: 8,
    audit: (line) => audit.push(line),
  });
  const ask = (fields: Partial<Pull> = {}) => {
    const asked = pull({ credit: 20, ...fields });
    desk.receive(asked, link);
    return { asked, ...source.last };
  };
  return { clock, source, link, store, audit, desk, ask };
}

type Bench = ReturnType<typeof bench>;

const answer = (b: Bench, upload: Upload, fields: Partial<Put> = {}): void => {
  const { pullId, part } = upload;
  const url = `https://store.example/${part}`;
  b.desk.receive({ action: 'put', pullId, part, url, headers: [], ...fields }, b.link);
};

/** Answers the `upload` of this part and stores it. */
async function storePart(b: Bench, number: number): Promise<{ upload: Upload; body: string }> {
  const uploads = (): Upload[] => b.link.sent.filter((message) => message.action === 'upload');
  while (uploads().length < number) await b.link.until('upload', b.link.sent.length);
  const upload = uploads()[number - 1] as Upload;
  answer(b, upload);
  const { body, done } = await b.store.next();
  done(`"${number}"`);
  return { upload, body };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('a reply within its credit', () => {
  test('is whole frames, the fewest that hold it, however it came', async () => {
    const b = bench();
    const { reply } = b.ask();
    reply.head(200, undefined, ['x', 'y']);
    await turn();
    for (const piece of ['abc', 'def', 'ghi', 'jkl', 'mno', 'pqrs']) {
      expect(reply.body(bytes(piece))).toBe(true);
      await turn();
    }
    expect(b.link.sent).toEqual([]);
    reply.end();
    expect(b.link.sent).toMatchObject([
      { action: 'head', seq: 0, end: false, body: bytes('abcdefghij') },
      { action: 'body', seq: 1, end: true, body: bytes('klmnopqrs') },
    ]);
    expect(b.audit).toMatchObject([{ outcome: 'done', bytes: 19 }]);
    expect([b.desk.inFlight, b.clock.pending]).toEqual([0, 0]);
  });

  test('says its head after 50 ms, with the time when it came, and its body when it is whole', () => {
    const b = bench();
    const { reply } = b.ask();
    b.clock.advance(5);
    reply.head(200, undefined, []);
    reply.body(bytes('abc'));
    b.clock.advance(50);
    expect(b.link.sent).toMatchObject([{ action: 'head', end: false, timing: { agentMs: 5 } }]);
    expect(b.link.body).toBe('');
    reply.end(['X-Sum', '1']);
    expect(b.link.actions).toEqual(['head', 'body', 'end']);
    expect(b.link.body).toBe('abc');
  });

  test('goes on by frames where it is not whole 2 s after its head, and then waits for credit', () => {
    const b = bench();
    const { asked, reply, run } = b.ask();
    reply.head(200, undefined, []);
    reply.body(bytes('abc'));
    b.clock.advance(2_000);
    expect(b.link.body).toBe('abc');
    expect(reply.body(bytes('0123456789'))).toBe(true);
    expect(reply.body(bytes('0123456789'))).toBe(false);
    expect(b.link.body).toHaveLength(20);
    b.desk.receive({ action: 'credit', pullId: asked.pullId, limit: 40 }, b.link);
    expect([b.link.body.length, run.resumed]).toEqual([23, 1]);
    reply.end();
    expect(b.link.actions).not.toContain('upload');
  });

  test('an event stream is never held back', async () => {
    const b = bench();
    const { reply } = b.ask();
    reply.head(200, undefined, ['Content-Type', 'Text/Event-Stream; charset=utf-8']);
    await turn();
    expect(b.link.actions).toEqual(['head']);
    reply.body(bytes('data: 1\n\n'));
    expect(b.link.body).toBe('data: 1\n\n');
    expect(reply.body(bytes('x'.repeat(30)))).toBe(false);
    expect(b.link.actions).not.toContain('upload');
  });

  test('a HEAD of something large is a head', () => {
    const b = bench();
    const { reply } = b.ask({ method: 'HEAD' });
    reply.head(200, undefined, ['content-length', '1000000']);
    reply.end();
    expect(b.link.sent).toMatchObject([{ action: 'head', end: true }]);
  });

  test('a source that fails before its reply is whole leaves an honest fault and nothing else', () => {
    const b = bench();
    const { reply } = b.ask();
    reply.head(200, undefined, []);
    reply.body(bytes('abc'));
    reply.fail(new PullFault('reply-broken', 'stream', { detail: 'gone' }));
    expect(b.link.sent).toMatchObject([{ action: 'fault', code: 'reply-broken' }]);
    reply.body(bytes('late'));
    reply.end();
    expect([b.link.sent.length, b.clock.pending]).toEqual([1, 0]);
  });
});

describe('a reply that outgrows its credit', () => {
  test('goes by object storage, whole, part after part', async () => {
    const b = bench();
    const { asked, reply, run } = b.ask();
    reply.head(200, undefined, ['x', 'y']);
    expect(reply.body(bytes('01234567890123456789'))).toBe(true);
    expect(reply.body(bytes('A'))).toBe(false);
    expect(b.link.sent).toMatchObject([
      { action: 'head', seq: 0, end: false, headers: ['x', 'y'] },
      {
        action: 'upload',
        pullId: asked.pullId,
        replyTo: asked.replyTo,
        part: 1,
        length: 8,
        sha256: sha256('01234567'),
        more: true,
      },
    ]);
    expect(b.link.body).toBe('');
    expect((await storePart(b, 1)).body).toBe('01234567');
    expect((await storePart(b, 2)).body).toBe('89012345');
    await turn();
    expect(run.resumed).toBe(1);
    expect(reply.body(bytes('BC'))).toBe(true);
    reply.end(['X-Sum', '1']);
    const last = await storePart(b, 3);
    expect(last).toMatchObject({ upload: { part: 3, length: 7, more: false }, body: '6789ABC' });
    expect(await b.link.until('complete')).toEqual({
      action: 'complete',
      pullId: asked.pullId,
      replyTo: asked.replyTo,
      parts: [
        { part: 1, etag: '"1"' },
        { part: 2, etag: '"2"' },
        { part: 3, etag: '"3"' },
      ],
      length: 23,
      trailers: ['X-Sum', '1'],
    });
    expect(b.audit).toMatchObject([{ outcome: 'done', status: 200, bytes: 23 }]);
    expect([b.desk.inFlight, b.clock.pending, run.cancelled]).toEqual([0, 0, 1]);
  });

  test('goes that way at once where it says how long it is', () => {
    const b = bench();
    const { reply } = b.ask();
    reply.head(200, undefined, ['Content-Length', '21']);
    expect(b.link.sent).toMatchObject([{ action: 'head', end: false }]);
    b.clock.advance(60_000);
    reply.body(bytes('0123456789'));
    expect(b.link.actions).toEqual(['head', 'upload']);
  });

  test('of exactly one part is one object', async () => {
    const b = bench();
    const { reply } = b.ask({ credit: 4 });
    reply.head(200, undefined, []);
    reply.body(bytes('01234567'));
    expect(b.link.actions).toEqual(['head']);
    reply.end();
    expect(await storePart(b, 1)).toMatchObject({ upload: { length: 8, more: false } });
    expect(await b.link.until('complete')).toMatchObject({ length: 8, parts: [{ part: 1 }] });
  });

  test('a second put of a part, and one of another, store nothing', async () => {
    const b = bench();
    const { reply } = b.ask({ credit: 1 });
    reply.head(200, undefined, []);
    reply.body(bytes('ab'));
    reply.end();
    const upload = await b.link.until('upload');
    answer(b, upload, { part: 2 });
    expect(b.store.calls).toBe(0);
    answer(b, upload);
    answer(b, upload);
    const { done } = await b.store.next();
    done('"1"');
    await b.link.until('complete');
    answer(b, upload);
    expect(b.store.calls).toBe(1);
    expect(b.desk.counters.stray).toBe(1);
  });

  test('a part that the storage does not take is tried again, three times in all', async () => {
    const b = bench();
    const { reply, run } = b.ask({ credit: 1 });
    reply.head(200, undefined, []);
    reply.body(bytes('ab'));
    reply.end();
    answer(b, await b.link.until('upload'));
    (await b.store.next()).fail(new PartStoreError('the storage answered 503', true));
    await b.clock.timerOf(500);
    b.clock.advance(500);
    (await b.store.next()).fail(new PartStoreError('the storage answered 503', true));
    await b.clock.timerOf(2_000);
    b.clock.advance(2_000);
    (await b.store.next()).fail(new PartStoreError('the storage answered 503', true));
    expect(await b.link.until('fault')).toMatchObject({
      code: 'reply-not-stored',
      stage: 'stream',
      detail: 'part 1 of the reply was not stored: the storage answered 503',
    });
    expect([run.cancelled, b.store.calls, b.clock.pending]).toEqual([1, 3, 0]);
  });

  test('a refusal is final at once, and a bug of ours says nothing of itself', async () => {
    for (const [error, detail] of [
      [new PartStoreError('the storage answered 403', false), 'the storage answered 403'],
      [new TypeError('secret'), 'the agent failed'],
    ] as const) {
      const b = bench();
      const { reply } = b.ask({ credit: 1 });
      reply.head(200, undefined, []);
      reply.body(bytes('ab'));
      reply.end();
      answer(b, await b.link.until('upload'));
      (await b.store.next()).fail(error);
      const fault = await b.link.until('fault');
      expect(fault.detail).toBe(`part 1 of the reply was not stored: ${detail}`);
      expect(b.store.calls).toBe(1);
    }
  });

  test('a relay that names no place in time ends the pull', async () => {
    const b = bench();
    const { reply } = b.ask({ credit: 1 });
    reply.head(200, undefined, []);
    reply.body(bytes('ab'));
    reply.end();
    b.clock.advance(30_000);
    expect(await b.link.until('fault')).toMatchObject({ code: 'reply-not-stored' });
    expect([b.desk.inFlight, b.clock.pending]).toEqual([0, 0]);
  });

  test('cancel, a fault of the source and the loss of the link stop what is on its way', async () => {
    const ends: ((b: Bench, asked: Pull) => void)[] = [
      (b, { pullId }) =>
        b.desk.receive({ action: 'cancel', pullId, reason: 'caller-left' }, b.link),
      (b) => b.source.last.reply.fail(new PullFault('reply-broken', 'stream', { detail: 'gone' })),
      (b) => b.desk.lost(b.link),
    ];
    for (const end of ends) {
      const b = bench();
      const { asked, reply, run } = b.ask({ credit: 1 });
      reply.head(200, undefined, []);
      reply.body(bytes('0123456789'));
      answer(b, await b.link.until('upload'));
      const { signal, done } = await b.store.next();
      end(b, asked);
      expect([signal.aborted, run.cancelled, b.clock.pending]).toEqual([true, 1, 0]);
      done('"1"');
      await turn();
      expect(reply.body(bytes('more'))).toBe(true);
      expect(b.link.actions.filter((action) => action === 'upload')).toHaveLength(1);
    }
  });

  test('only four hold parts at once; a fifth waits with its source, and is next', async () => {
    const b = bench();
    const pulls = Array.from({ length: 5 }, () => b.ask({ credit: 1 }));
    const goOn = pulls.map(({ reply }) => {
      reply.head(200, undefined, []);
      return reply.body(bytes('0123456789'));
    });
    expect(goOn).toEqual([true, true, true, true, false]);
    expect(b.link.actions.filter((action) => action === 'upload')).toHaveLength(4);
    const [first, , , , fifth] = pulls;
    const pullId = first?.asked.pullId ?? '';
    b.desk.receive({ action: 'cancel', pullId, reason: 'caller-left' }, b.link);
    expect(b.link.sent.at(-1)).toMatchObject({ action: 'upload', pullId: fifth?.asked.pullId });
    expect(fifth?.run.resumed).toBe(1);
  });
});
