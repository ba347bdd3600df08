import type { Readable } from 'node:stream';
import { PullFault, WireError } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { FakeStore } from '../reply/fake-store.ts';
import type { SourceRequest } from '../source/source.ts';
import type { PullAudit } from './agent-pull.ts';
import { bytes, FakeLink, FakeSource, pull, turn } from './fake-link.ts';
import type { SourcePolicy } from './policed-source.ts';
import { PullDesk } from './pull-desk.ts';

function bench(policy: Partial<SourcePolicy> = {}, maxPulls = 4) {
  const clock = new ManualClock();
  const source = new FakeSource();
  const link = new FakeLink();
  const audit: PullAudit[] = [];
  let released = 0;
  const admitted: SourcePolicy = {
    requestBytes: 1_000,
    admit: () => ({
      segments: ['m'],
      release: () => {
        released += 1;
      },
    }),
    ...policy,
  };
  const desk = new PullDesk({
    sources: new Map([['metrics', { source, policy: admitted }]]),
    maxPulls,
    clock,
    parts: new FakeStore(),
    audit: (line) => audit.push(line),
  });
  return { clock, source, link, audit, desk, released: () => released };
}

describe('a pull at the agent', () => {
  test('a reply that is whole in one turn is one frame', async () => {
    const b = bench();
    const asked = pull();
    b.desk.receive(asked, b.link);
    const { reply } = b.source.last;
    reply.head(200, 'OK', ['X', 'y']);
    reply.body(bytes('ab'));
    reply.body(bytes('cd'));
    reply.end();
    await turn();
    expect(b.link.sent).toMatchObject([
      { action: 'head', pullId: asked.pullId, replyTo: asked.replyTo, seq: 0, end: true },
    ]);
    expect(b.link.body).toBe('abcd');
    expect(b.audit).toMatchObject([
      { caller: 'ops', source: 'metrics', path: '/m', outcome: 'done', status: 200, bytes: 4 },
    ]);
    expect([b.desk.inFlight, b.clock.pending, b.released()]).toEqual([0, 0, 1]);
  });

  test('a head whose body is long in coming goes alone', async () => {
    const b = bench();
    b.desk.receive(pull(), b.link);
    b.source.last.reply.head(200, undefined, []);
    await turn();
    expect(b.link.sent).toMatchObject([{ action: 'head', end: false }]);
    b.source.last.reply.body(bytes('event'));
    expect(b.link.sent[1]).toMatchObject({ action: 'body', seq: 1, end: false });
    b.source.last.reply.end();
    expect(b.link.sent[2]).toMatchObject({ action: 'end', seq: 2 });
  });

  test('large pieces are cut to the frame, in order', async () => {
    const b = bench();
    b.desk.receive(pull(), b.link);
    const { reply } = b.source.last;
    reply.head(200, undefined, []);
    reply.body(bytes('0123456789abcdefghijXYZ'));
    reply.end();
    await turn();
    expect(b.link.body).toBe('0123456789abcdefghijXYZ');
    expect(b.link.sent.map((m) => ('seq' in m ? m.seq : -1))).toEqual([0, 1, 2, 3]);
  });

  test('without credit the source is held, and goes on when it comes', async () => {
    const b = bench();
    const asked = pull({ credit: 5 });
    b.desk.receive(asked, b.link);
    const { reply, run } = b.source.last;
    reply.head(200, undefined, []);
    expect(reply.body(bytes('0123456789'))).toBe(false);
    await turn();
    expect(b.link.body).toBe('01234');
    b.desk.receive({ action: 'credit', pullId: asked.pullId, limit: 4 }, b.link);
    expect(run.resumed).toBe(0);
    b.desk.receive({ action: 'credit', pullId: asked.pullId, limit: 20 }, b.link);
    expect([b.link.body, run.resumed]).toEqual(['0123456789', 1]);
  });

  test('a link without room holds the source', async () => {
    const b = bench();
    const asked = pull();
    b.desk.receive(asked, b.link);
    const { reply, run } = b.source.last;
    reply.head(200, undefined, []);
    await turn();
    b.link.hasRoom = false;
    expect(reply.body(bytes('a'))).toBe(false);
    expect(reply.body(bytes('b'))).toBe(false);
    expect(b.link.body).toBe('a');
    b.link.hasRoom = true;
    b.desk.room(asked.pullId);
    expect([b.link.body, run.resumed]).toEqual(['ab', 1]);
  });

  test('trailers go in an end frame, also after an empty body', async () => {
    const b = bench();
    b.desk.receive(pull(), b.link);
    const { reply } = b.source.last;
    reply.head(200, undefined, []);
    reply.end(['X-Sum', '1']);
    await turn();
    expect(b.link.sent[1]).toMatchObject({ action: 'end', seq: 1, trailers: ['X-Sum', '1'] });
  });

  test('a head that no frame can hold is an honest fault', async () => {
    const b = bench();
    b.desk.receive(pull(), b.link);
    b.link.refusal = new WireError('too-large', 'headers: 20000 is over the limit of 16384');
    b.source.last.reply.head(200, undefined, []);
    await turn();
    expect(b.link.sent).toMatchObject([{ action: 'fault', code: 'reply-head-too-large' }]);
    expect(b.source.last.run.cancelled).toBe(1);
  });

  test('nothing is sent after the end', async () => {
    const b = bench();
    b.desk.receive(pull(), b.link);
    const { reply } = b.source.last;
    reply.head(200, undefined, []);
    reply.end();
    await turn();
    reply.head(500, undefined, []);
    reply.body(bytes('x'));
    reply.fail(new PullFault('source-failed', 'upstream', { detail: 'late' }));
    expect(b.link.actions).toEqual(['head']);
  });

  test('the agent’s deadline is shorter than the relay’s, the source’s shorter still', () => {
    const b = bench();
    b.desk.receive(pull(), b.link);
    expect(b.source.last.request.budgetMs).toBe(9_000);
    b.clock.advance(9_500);
    expect(b.link.sent).toMatchObject([{ action: 'fault', code: 'upstream-timeout' }]);
    expect(b.source.last.run.cancelled).toBe(1);
  });
});

describe('what a pull may not do', () => {
  test('policy refuses before the source is opened', () => {
    const refusal = new PullFault('refused-by-policy', 'policy', { detail: 'no' });
    const b = bench({
      admit: () => {
        throw refusal;
      },
    });
    b.desk.receive(pull(), b.link);
    expect(b.source.opened).toHaveLength(0);
    expect(b.link.sent).toMatchObject([{ action: 'fault', code: 'refused-by-policy' }]);
    expect(b.audit).toMatchObject([{ outcome: 'refused-by-policy', stage: 'policy' }]);
  });

  test('an unknown source, and one pull too many', () => {
    const b = bench({}, 1);
    b.desk.receive(pull({ source: 'nope' }), b.link);
    expect(b.link.sent[0]).toMatchObject({ action: 'fault', code: 'source-unknown' });
    b.desk.receive(pull(), b.link);
    b.desk.receive(pull(), b.link);
    expect(b.link.sent[1]).toMatchObject({ action: 'fault', code: 'busy' });
    expect(b.desk.inFlight).toBe(1);
  });

  test('the same pull twice runs once, also after its end', async () => {
    const b = bench();
    const asked = pull();
    b.desk.receive(asked, b.link);
    b.desk.receive(asked, b.link);
    b.source.last.reply.head(200, undefined, []);
    b.source.last.reply.end();
    await turn();
    b.desk.receive(asked, b.link);
    expect(b.source.opened).toHaveLength(1);
    expect(b.desk.counters).toMatchObject({ pulls: 1, repeated: 2 });
  });

  test('a cancel that comes before its pull stops it', () => {
    const b = bench();
    const asked = pull();
    b.desk.receive({ action: 'cancel', pullId: asked.pullId, reason: 'caller-left' }, b.link);
    b.desk.receive(asked, b.link);
    expect(b.source.opened).toHaveLength(0);
  });

  test('a cancel stops the source and nothing more is sent', () => {
    const b = bench();
    const asked = pull();
    b.desk.receive(asked, b.link);
    b.desk.receive({ action: 'cancel', pullId: asked.pullId, reason: 'caller-left' }, b.link);
    b.source.last.reply.head(200, undefined, []);
    expect([b.link.sent.length, b.source.last.run.cancelled]).toEqual([0, 1]);
    expect(b.audit).toMatchObject([{ outcome: 'caller-left' }]);
    expect([b.desk.inFlight, b.clock.pending]).toEqual([0, 0]);
  });

  test('a lost link ends its pulls and no others', () => {
    const b = bench();
    const other = new FakeLink();
    b.desk.receive(pull(), b.link);
    b.desk.receive(pull(), other);
    b.desk.lost(b.link);
    expect(b.desk.inFlight).toBe(1);
    expect(b.audit).toMatchObject([{ outcome: 'link-lost' }]);
  });

  test('draining refuses new pulls and waits for those under way', async () => {
    const b = bench();
    b.desk.receive(pull(), b.link);
    const running = b.source.last;
    const drained = b.desk.drain();
    b.desk.receive(pull(), b.link);
    expect(b.link.sent).toMatchObject([{ action: 'fault', code: 'agent-draining' }]);
    running.reply.head(204, undefined, []);
    running.reply.end();
    await drained;
    expect(b.desk.inFlight).toBe(0);
  });
});

describe('a request body', () => {
  const read = async (body: SourceRequest['body']): Promise<string> => {
    let text = '';
    for await (const chunk of body as Readable) text += String(chunk);
    return text;
  };
  const frame = (pullId: string, seq: number, text: string, end = false) =>
    ({ action: 'body', pullId, seq, end, body: bytes(text) }) as const;

  test('nothing is granted before the source reads', async () => {
    const b = bench();
    const asked = pull({ method: 'PUT', end: false });
    b.desk.receive(asked, b.link);
    await turn();
    expect(b.link.sent).toEqual([]);
    const all = read(b.source.last.request.body);
    await turn();
    expect(b.link.sent).toMatchObject([{ action: 'credit', limit: 262_144 }]);
    b.desk.receive(frame(asked.pullId, 2, 'b'), b.link);
    b.desk.receive(frame(asked.pullId, 1, 'a'), b.link);
    b.desk.receive(frame(asked.pullId, 1, 'a'), b.link);
    b.desk.receive({ action: 'end', pullId: asked.pullId, seq: 3 }, b.link);
    expect(await all).toBe('ab');
  });

  test('one that grows over the policy’s limit is a 413', async () => {
    const b = bench({ requestBytes: 3 });
    const asked = pull({ method: 'PUT', end: false });
    b.desk.receive(asked, b.link);
    b.desk.receive(frame(asked.pullId, 1, 'abcd'), b.link);
    await turn();
    expect(b.link.sent).toMatchObject([{ action: 'fault', code: 'request-body-too-large' }]);
    expect(b.source.last.run.cancelled).toBe(1);
  });

  test('a relay that sends beyond the credit ends the pull', async () => {
    const b = bench({ requestBytes: 10_000_000 });
    const asked = pull({ method: 'PUT', end: false });
    b.desk.receive(asked, b.link);
    for (let seq = 1; seq <= 5; seq += 1) {
      b.desk.receive(frame(asked.pullId, seq, 'x'.repeat(65_536)), b.link);
    }
    await turn();
    expect(b.link.sent).toMatchObject([{ action: 'fault', code: 'protocol-error' }]);
  });

  test('a body that came with the pull is handed on as it is', () => {
    const b = bench();
    b.desk.receive(pull({ method: 'POST', body: bytes('whole') }), b.link);
    expect(b.source.last.request.body).toEqual(bytes('whole'));
  });
});
