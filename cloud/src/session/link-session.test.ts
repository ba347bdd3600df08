import type { AgentMessage, Hello, Ignored } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { FakeTarget } from '../../test/fake-target.ts';
import { ReplyDesk } from '../reply/reply-desk.ts';
import { replyToKey } from '../reply/reply-to.ts';
import { LinkSession } from './link-session.ts';
import { MessageBudget } from './message-budget.ts';

class ClosableTarget extends FakeTarget {
  closedWith: string[] = [];

  override close(code?: string): void {
    this.closedWith.push(String(code));
  }
}

const hello: Hello = {
  action: 'hello',
  version: 1,
  agent: 'a/1',
  device: 'plant-7',
  instance: 'main',
  sources: [],
  labels: {},
  features: [],
};

function bench(lifeMs?: number) {
  const clock = new ManualClock();
  const connection = new ClosableTarget();
  const replies = new ReplyDesk([replyToKey('1', Buffer.alloc(32))], () => 0);
  const events: string[] = [];
  const session = new LinkSession({
    identity: { device: 'plant-7', instance: 'main' },
    connection,
    replies,
    clock,
    terms: {
      relay: 'r/1',
      limits: { frameBytes: 1, bodyBytes: 1, headBytes: 2, pulls: 3 },
      heartbeat: { intervalMs: 10, timeoutMs: 5 },
      features: ['x'],
      ...(lifeMs !== undefined && { lifeMs }),
    },
    budget: new MessageBudget(clock),
    events: {
      opened: () => events.push('opened'),
      described: () => events.push('described'),
      draining: () => events.push('draining'),
      reading: ({ batch }) => {
        events.push(`reading ${batch}`);
        return batch < 100;
      },
      offered: ({ publicKey }) => events.push(`offered ${publicKey}`),
      closed: (why) => events.push(`closed ${why}`),
      stray: (reason) => events.push(`stray ${reason}`),
      ignored: (name) => events.push(`ignored ${name}`),
    },
  });
  session.start();
  return { clock, connection, session, events };
}

function greeted() {
  const made = bench();
  made.session.receive(hello);
  return made;
}

const say = (message: AgentMessage | Ignored): AgentMessage | Ignored => message;

describe('a link at the relay', () => {
  test('hello is answered by welcome, with the limits of the encoding', () => {
    const b = bench();
    b.session.receive(hello);
    expect(b.events).toEqual(['opened']);
    expect(b.connection.sent).toEqual([
      {
        action: 'welcome',
        version: 1,
        relay: 'r/1',
        limits: { frameBytes: 98_304, bodyBytes: 65_536, headBytes: 2, pulls: 3 },
        heartbeat: { intervalMs: 10, timeoutMs: 5 },
        features: ['x'],
      },
    ]);
    expect([b.session.state, b.clock.pending]).toEqual(['open', 0]);
  });

  test('a repeated hello is answered too, and describes the link anew', () => {
    const b = bench();
    b.session.receive(hello);
    b.session.receive(hello);
    expect(b.events).toEqual(['opened', 'described']);
    expect(b.connection.actions).toEqual(['welcome', 'welcome']);
  });

  test('a link that says nothing is closed', () => {
    const b = bench();
    b.clock.advance(10_000);
    expect(b.connection.closedWith).toEqual(['hello-timeout']);
    expect(b.events).toEqual(['closed hello-timeout']);
  });

  test.each([
    ['another device', { ...hello, device: 'plant-8' }, 'device-mismatch'],
    ['another instance', { ...hello, instance: 'b' }, 'device-mismatch'],
    ['another version', { ...hello, version: 2 }, 'unsupported-version'],
    ['no hello', say({ action: 'drain' }), 'protocol-error'],
  ])('%s ends the link', (_name, message, code) => {
    const b = bench();
    b.session.receive(message);
    expect(b.connection.closedWith).toEqual([code]);
    expect(b.events).toEqual([`closed ${code}`]);
    b.session.receive(hello);
    expect(b.events).toHaveLength(1);
  });

  test('a later hello with another device ends an open link', () => {
    const b = bench();
    b.session.receive(hello);
    b.session.receive({ ...hello, device: 'plant-8' });
    expect(b.connection.closedWith).toEqual(['device-mismatch']);
  });

  test('drain, keep-alive, unknown actions and stray frames', () => {
    const b = bench();
    b.session.receive(hello);
    b.session.receive({ action: 'keep-alive' });
    b.session.receive({ action: 'ignored', name: 'reading' });
    b.session.receive({ action: 'drain' });
    b.session.receive({ action: 'drain' });
    b.session.receive({ action: 'end', pullId: 'AAECAwQFBgcICQoLDA0ODw', replyTo: 'x', seq: 1 });
    expect(b.connection.actions).toEqual(['welcome', 'kept-alive']);
    expect(b.events).toEqual(['opened', 'ignored reading', 'draining', 'stray malformed']);
    expect(b.session.state).toBe('draining');
  });

  test('bye ends the link with the agent’s word; the close that follows says nothing new', () => {
    const b = bench();
    b.session.receive(hello);
    b.session.receive({ action: 'bye', code: 'drained' });
    b.session.lost('link-lost');
    expect(b.events).toEqual(['opened', 'closed drained']);
  });

  test('an offered key is passed on', () => {
    const { session, events } = greeted();
    session.receive(say({ action: 'rotate', publicKey: 'ed25519:x', proof: 'p' }));
    expect(events).toContain('offered ed25519:x');
  });

  test.each([
    ['keep-alives', { action: 'keep-alive' }],
    ['unknown actions', { action: 'ignored', name: 'wave' }],
    ['greetings', hello],
    ['offered keys', { action: 'rotate', publicKey: 'ed25519:x', proof: 'p' }],
  ] as [string, AgentMessage | Ignored][])(
    'far too many %s end it, and say so',
    (_name, message) => {
      const { session, events, connection } = greeted();
      for (let at = 0; at < 600; at += 1) session.receive(message);
      expect(events.at(-1)).toBe('closed too-many-messages');
      expect(connection.closedWith).toEqual(['too-many-messages']);
      expect(events.length).toBeLessThan(510);
    },
  );

  const batchOf = (batch: number) =>
    ({
      action: 'reading',
      batch,
      readings: [
        {
          ...{ schedule: 's', at: 1, source: 'm', path: '/', ms: 1, length: 0 },
          fault: { code: 'upstream-timeout', detail: 'd' },
        },
      ],
    }) as const;

  test('readings that are taken are no flood, however many they are', () => {
    const { session, events } = greeted();
    for (let at = 0; at < 5_000; at += 1) session.receive(batchOf(1));
    expect(session.state).toBe('open');
    expect(events.at(-1)).toBe('reading 1');
  });

  test('far too many readings that came before they were to end it', () => {
    const { session, connection } = greeted();
    for (let at = 0; at < 19; at += 1) session.receive(batchOf(100));
    expect(session.state).toBe('open');
    for (let at = 0; at < 2; at += 1) session.receive(batchOf(100));
    expect(connection.closedWith).toEqual(['too-many-messages']);
  });

  test('far too many pings end it as well', () => {
    const { session, events } = greeted();
    for (let at = 0; at < 600; at += 1) session.pinged();
    expect(events.at(-1)).toBe('closed too-many-messages');
  });
});

describe('a link with an end of life', () => {
  const life = (b: ReturnType<typeof bench>) =>
    b.connection.sent.flatMap((sent) => (sent.action === 'welcome' ? [sent.endOfLifeMs] : []));

  test('says in each welcome how much is left, and ends with its last word', () => {
    const b = bench(30_000);
    b.session.receive(hello);
    b.clock.advance(12_000);
    b.session.receive(hello);
    expect(life(b)).toEqual([30_000, 18_000]);
    b.clock.advance(17_999);
    expect(b.session.state).toBe('open');
    b.clock.advance(1);
    expect(b.connection.closedWith).toEqual(['end-of-life']);
    expect(b.events.at(-1)).toBe('closed end-of-life');
    expect(b.clock.pending).toBe(0);
  });

  test('one that said drain gets as long again, and no longer', () => {
    const b = bench(30_000);
    b.session.receive(hello);
    b.session.receive({ action: 'drain' });
    b.clock.advance(59_999);
    expect(b.session.state).toBe('draining');
    b.clock.advance(1);
    expect(b.connection.closedWith).toEqual(['end-of-life']);
  });

  test('its timer ends with it', () => {
    const b = bench(30_000);
    b.session.receive(hello);
    b.session.lost('link-lost');
    expect(b.clock.pending).toBe(0);
  });
});
