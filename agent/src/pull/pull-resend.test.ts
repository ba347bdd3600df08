import type { AgentMessage, Pull, ReplyBody } from '@pullwire/shared';
import { PullFault, WireError } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { FakeStore } from '../reply/fake-store.ts';
import type { PullAudit } from './agent-pull.ts';
import { bytes, FakeLink, FakeSource, pull, turn } from './fake-link.ts';
import { PullDesk } from './pull-desk.ts';

function bench() {
  const clock = new ManualClock();
  const source = new FakeSource();
  const link = new FakeLink();
  link.features = { resend: true, upload: false };
  const audit: PullAudit[] = [];
  const policy = { requestBytes: 100, admit: () => ({ segments: [], release: () => {} }) };
  const parts = new FakeStore();
  const desk = new PullDesk({
    sources: new Map([['metrics', { source, policy }]]),
    maxPulls: 64,
    clock,
    parts,
    partBytes: 8,
    audit: (line) => audit.push(line),
  });
  const ask = (fields: Partial<Pull> = {}) => {
    const asked = pull(fields);
    desk.receive(asked, link);
    return { asked, ...source.last };
  };
  const resend = (pullId: string, have: number, replyTo = 'new'): AgentMessage[] => {
    const from = link.sent.length;
    desk.receive({ action: 'resend', pullId, replyTo, have }, link);
    return link.sent.slice(from);
  };
  const cancel = (pullId: string, reason: 'relay' | 'caller-left'): void =>
    desk.receive({ action: 'cancel', pullId, reason }, link);
  return { clock, source, link, audit, parts, desk, ask, resend, cancel };
}

type Bench = ReturnType<typeof bench>;

/** A reply of three frames with body and an `end`. */
async function ended(b: Bench, fields: Partial<Pull> = {}): Promise<string> {
  const { asked, reply } = b.ask(fields);
  reply.head(200, undefined, ['x', 'y']);
  reply.body(bytes('0123456789abcdefghijXYZ'));
  reply.end();
  await turn();
  return asked.pullId;
}

describe('resend', () => {
  test('brings the frames from `have` on, to the new place', async () => {
    const b = bench();
    const pullId = await ended(b);
    const sent = [...b.link.sent];
    const all = sent.map((message) => ({ ...message, replyTo: 'new' }));
    expect(b.resend(pullId, 0)).toEqual(all);
    expect(b.resend(pullId, 2)).toEqual(all.slice(2));
    expect(b.resend(pullId, 9)).toEqual([]);
    expect(b.desk.counters.stray).toBe(0);
  });

  test('while a reply is under way, what follows goes to the new place too', async () => {
    const b = bench();
    const { asked, reply } = b.ask();
    reply.head(200, undefined, []);
    await turn();
    expect(b.resend(asked.pullId, 0)).toMatchObject([{ action: 'head', replyTo: 'new' }]);
    reply.body(bytes('ab'));
    reply.end(['X-Sum', '1']);
    expect(b.link.sent.slice(2)).toMatchObject([
      { action: 'body', seq: 1, replyTo: 'new' },
      { action: 'end', seq: 2, replyTo: 'new' },
    ]);
  });

  test('before the head there is nothing to send again', async () => {
    const b = bench();
    const { asked, reply } = b.ask();
    expect(b.resend(asked.pullId, 0)).toEqual([]);
    reply.head(204, undefined, []);
    reply.end();
    await turn();
    expect(b.link.sent).toMatchObject([{ action: 'head', replyTo: 'new', end: true }]);
  });

  test('repeats credit for the request body, and the fault that ended the pull', async () => {
    const b = bench();
    const { asked, request, reply } = b.ask({ method: 'PUT', end: false });
    (request.body as NodeJS.ReadableStream).resume();
    await turn();
    expect(b.resend(asked.pullId, 0)).toMatchObject([{ action: 'credit', replyTo: 'new' }]);
    reply.fail(new PullFault('source-failed', 'upstream', { detail: 'no' }));
    expect(b.resend(asked.pullId, 0, 'newer')).toMatchObject([
      { action: 'credit', replyTo: 'newer' },
      { action: 'fault', code: 'source-failed', replyTo: 'newer' },
    ]);
  });

  test('that comes before its pull says where the reply goes', async () => {
    const b = bench();
    const asked = pull();
    expect(b.resend(asked.pullId, 0)).toEqual([]);
    b.desk.receive(asked, b.link);
    b.source.last.reply.head(200, undefined, []);
    b.source.last.reply.end();
    await turn();
    expect(b.link.sent).toMatchObject([{ action: 'head', replyTo: 'new' }]);
  });

  test('frames that the link has queued are not sent to the old place as well', async () => {
    const b = bench();
    const forgotten: string[] = [];
    b.link.forget = (pullId?: string) => void forgotten.push(pullId ?? '');
    const pullId = await ended(b);
    b.resend(pullId, 0);
    expect(forgotten).toEqual([pullId]);
  });

  test('a source that waited for the link goes on where there is room again', async () => {
    const b = bench();
    const { asked, reply, run } = b.ask();
    reply.head(200, undefined, []);
    await turn();
    b.link.hasRoom = false;
    expect(reply.body(bytes('a'))).toBe(false);
    b.link.hasRoom = true;
    b.resend(asked.pullId, 0);
    expect(run.resumed).toBe(1);
  });

  test('is ignored 30 s after the last frame, and for a link that is gone', async () => {
    const b = bench();
    const early = await ended(b);
    b.clock.advance(29_999);
    expect(b.resend(early, 0)).toHaveLength(4);
    b.clock.advance(1);
    expect(b.resend(early, 0)).toEqual([]);
    const late = await ended(b);
    b.desk.lost(b.link);
    expect(b.resend(late, 0)).toEqual([]);
    expect([b.desk.counters.stray, b.clock.pending]).toEqual([2, 0]);
  });

  test('of frames that cannot be sent any more is a fault', async () => {
    const b = bench();
    const pullId = await ended(b);
    b.link.refusal = new WireError('too-large', 'message: too large');
    expect(b.resend(pullId, 0)).toMatchObject([
      { action: 'fault', code: 'agent-error', stage: 'stream', replyTo: 'new' },
    ]);
  });

  test('without the feature nothing is kept', async () => {
    const b = bench();
    b.link.features = { resend: false, upload: false };
    const pullId = await ended(b);
    expect(b.resend(pullId, 0)).toEqual([]);
    expect(b.clock.pending).toBe(0);
  });
});

describe('what is kept', () => {
  test('of a long stream is what the credit held: older frames have arrived', async () => {
    const b = bench();
    const { asked, reply } = b.ask({ credit: 30 });
    reply.head(200, undefined, []);
    await turn();
    for (let i = 0; i < 10; i += 1) {
      const limit = 30 + 10 * i;
      b.desk.receive({ action: 'credit', pullId: asked.pullId, limit }, b.link);
      reply.body(bytes(`frame ${i}..`));
    }
    const seqs = b.resend(asked.pullId, 7).map((message) => (message as ReplyBody).seq);
    expect(seqs).toEqual([7, 8, 9, 10]);
    expect(b.resend(asked.pullId, 0)).toMatchObject([{ action: 'fault', code: 'agent-error' }]);
    expect(b.audit).toMatchObject([{ outcome: 'agent-error' }]);
  });

  test('is 4 MiB over all replies; the one that was silent longest goes first', async () => {
    const b = bench();
    const size = 60_000;
    const ids: string[] = [];
    for (let i = 0; i < 80; i += 1) {
      const { asked, reply } = b.ask({ credit: 88_000 });
      b.link.limits.bodyBytes = size;
      reply.head(200, undefined, []);
      reply.body(Buffer.alloc(size, i));
      reply.end();
      await turn();
      ids.push(asked.pullId);
    }
    const kept = ids.filter((pullId) => b.resend(pullId, 0).length > 0);
    expect(kept).toEqual(ids.slice(-kept.length));
    expect(kept.length * size).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(kept.length * size).toBeGreaterThan(4 * 1024 * 1024 - 2 * size);
  });

  test('is no more than 4,096 replies that have ended, however small', () => {
    const b = bench();
    const refused = Array.from({ length: 4_097 }, (_, i) => {
      const pullId = Buffer.alloc(16, `#${i}`).toString('base64url');
      b.desk.receive(pull({ pullId, source: 'nope' }), b.link);
      return pullId;
    });
    expect(b.clock.pending).toBe(4_096);
    expect(b.resend(refused[0] ?? '', 0)).toEqual([]);
    expect(b.resend(refused[1] ?? '', 0)).toMatchObject([{ action: 'fault' }]);
  });

  test('is a copy where a few bytes would hold a large buffer', async () => {
    const b = bench();
    const { asked, reply } = b.ask();
    const large = Buffer.alloc(65_536, 'x');
    reply.head(200, undefined, []);
    reply.body(large.subarray(0, 5));
    reply.end();
    await turn();
    large.fill('y');
    expect(b.resend(asked.pullId, 0)).toMatchObject([{ body: bytes('xxxxx') }]);
  });
});

describe('cancel by the relay', () => {
  test('waits a second for resend before the source is stopped', () => {
    const b = bench();
    const { asked, run } = b.ask();
    b.cancel(asked.pullId, 'relay');
    b.clock.advance(999);
    expect(run.cancelled).toBe(0);
    b.clock.advance(1);
    expect(run.cancelled).toBe(1);
    expect(b.audit).toMatchObject([{ outcome: 'relay' }]);
    expect(b.clock.pending).toBe(0);
  });

  test('sends nothing meanwhile, and all of it after a resend', async () => {
    const b = bench();
    const { asked, reply, run } = b.ask();
    reply.head(200, undefined, []);
    await turn();
    b.cancel(asked.pullId, 'relay');
    b.cancel(asked.pullId, 'relay');
    reply.body(bytes('ab'));
    expect(b.link.actions).toEqual(['head']);
    expect(b.resend(asked.pullId, 0)).toMatchObject([{ seq: 0 }, { seq: 1, replyTo: 'new' }]);
    reply.end();
    b.clock.advance(1_000);
    expect(b.link.body).toBe('abab'.slice(2));
    expect(b.audit).toMatchObject([{ outcome: 'done' }]);
    expect(run.cancelled).toBe(1);
  });

  test('a reply that ends meanwhile is kept, and can still be fetched', async () => {
    const b = bench();
    const { asked, reply } = b.ask();
    b.cancel(asked.pullId, 'relay');
    reply.head(200, undefined, []);
    reply.body(bytes('ab'));
    reply.end();
    await turn();
    b.clock.advance(5_000);
    b.cancel(asked.pullId, 'relay');
    expect(b.link.sent).toEqual([]);
    expect(b.resend(asked.pullId, 0)).toMatchObject([{ action: 'head', end: true }]);
    expect(b.link.body).toBe('ab');
  });

  test('for another reason stops at once, and frees what was kept', async () => {
    const b = bench();
    const { asked, run } = b.ask();
    b.cancel(asked.pullId, 'relay');
    b.cancel(asked.pullId, 'caller-left');
    expect([run.cancelled, b.clock.pending]).toEqual([1, 0]);
    const over = await ended(b);
    b.cancel(over, 'caller-left');
    expect(b.clock.pending).toBe(0);
    expect(b.resend(over, 0)).toEqual([]);
  });

  test('without the feature stops at once', () => {
    const b = bench();
    b.link.features = { resend: false, upload: false };
    const { asked, run } = b.ask();
    b.cancel(asked.pullId, 'relay');
    expect(run.cancelled).toBe(1);
  });
});

describe('resend of a reply by object storage', () => {
  const upload = async () => {
    const b = bench();
    b.link.features = { resend: true, upload: true };
    const { asked, reply } = b.ask({ credit: 1 });
    reply.head(200, undefined, []);
    reply.body(bytes('ab'));
    reply.end();
    const message = await b.link.until('upload');
    return { b, pullId: asked.pullId, message };
  };
  const put = (pullId: string) =>
    ({ action: 'put', pullId, part: 1, url: 'https://store.example/x', headers: [] }) as const;

  test('repeats the head and the upload that waits for its put', async () => {
    const { b, pullId } = await upload();
    expect(b.resend(pullId, 0)).toMatchObject([
      { action: 'head', replyTo: 'new' },
      { action: 'upload', part: 1, replyTo: 'new' },
    ]);
    b.desk.receive(put(pullId), b.link);
    (await b.parts.next()).done('"1"');
    expect(await b.link.until('complete')).toMatchObject({ replyTo: 'new' });
  });

  test('does not repeat an upload that has its put', async () => {
    const { b, pullId } = await upload();
    b.desk.receive(put(pullId), b.link);
    expect(b.resend(pullId, 1)).toEqual([]);
  });

  test('repeats the complete that ended it', async () => {
    const { b, pullId } = await upload();
    b.desk.receive(put(pullId), b.link);
    (await b.parts.next()).done('"1"');
    await b.link.until('complete');
    expect(b.resend(pullId, 1)).toMatchObject([
      { action: 'complete', replyTo: 'new', length: 2, parts: [{ part: 1, etag: '"1"' }] },
    ]);
  });

  test('a cancel by the relay waits for it here too', async () => {
    const { b, pullId, message } = await upload();
    b.cancel(pullId, 'relay');
    expect(b.resend(pullId, 1)).toMatchObject([{ ...message, replyTo: 'new' }]);
    b.clock.advance(1_000);
    expect(b.desk.inFlight).toBe(1);
  });
});
