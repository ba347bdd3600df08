import { readFile } from 'node:fs/promises';
import type { AgentMessage, Hello, Ignored } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import { FakeTarget } from '../../test/fake-target.ts';
import { ReplyDesk } from '../reply/reply-desk.ts';
import { replyToKey } from '../reply/reply-to.ts';
import { LinkSession } from './link-session.ts';
import {
  type LinkDeed,
  type LinkEvent,
  type LinkState,
  linkEvents,
  linkStates,
  linkStep,
} from './link-state.ts';
import { MessageBudget } from './message-budget.ts';

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

const messages: Partial<Record<LinkEvent, AgentMessage | Ignored>> = {
  hello,
  'wrong-hello': { ...hello, device: 'plant-8' },
  reply: { action: 'end', pullId: 'AAECAwQFBgcICQoLDA0ODw', replyTo: 'x', seq: 1 },
  reading: {
    action: 'reading',
    batch: 1,
    readings: [
      {
        ...{ schedule: 's', at: 1, source: 'm', path: '/', ms: 1, length: 0 },
        fault: { code: 'upstream-timeout', detail: 'd' },
      },
    ],
  },
  drain: { action: 'drain' },
  'keep-alive': { action: 'keep-alive' },
  rotate: { action: 'rotate', publicKey: 'ed25519:x', proof: 'p' },
  unknown: { action: 'ignored', name: 'wave' },
  bye: { action: 'bye', code: 'drained' },
};

/** A session of which everything that it does is written down. */
function bench() {
  const clock = new ManualClock();
  const done: string[] = [];
  class Written extends FakeTarget {
    override control(message: Parameters<FakeTarget['control']>[0]): void {
      done.push(`says ${message.action}`);
    }
    override close(code?: string): void {
      done.push(`says bye ${code}`);
    }
  }
  const session = new LinkSession({
    identity: { device: 'plant-7', instance: 'main' },
    connection: new Written(),
    replies: new ReplyDesk([replyToKey('1', Buffer.alloc(32))], () => 0),
    clock,
    terms: {
      relay: 'r/1',
      limits: { frameBytes: 1, bodyBytes: 1, headBytes: 2, pulls: 3 },
      heartbeat: { intervalMs: 10, timeoutMs: 5 },
      features: [],
    },
    budget: new MessageBudget(clock),
    events: {
      opened: () => done.push('opened'),
      described: () => done.push('described'),
      draining: () => done.push('draining'),
      offered: () => done.push('offered'),
      reading: () => done.push('stored') > 0,
      closed: (why) => done.push(`closed ${why}`),
      stray: () => done.push('passed on'),
      ignored: () => done.push('counted'),
    },
  });
  session.start();
  const meet = (event: LinkEvent): void => {
    const message = messages[event];
    if (message !== undefined) session.receive(message);
    else if (event === 'silence') clock.advance(10_000);
    else if (event === 'flood') for (let at = 0; at < 600; at += 1) session.pinged();
    else if (event === 'end') session.end('shutdown', 'the relay shuts down');
    else session.lost('link-lost');
  };
  return { session, done, meet };
}

const wayTo: Record<LinkState, readonly LinkEvent[]> = {
  greeting: [],
  open: ['hello'],
  draining: ['hello', 'drain'],
  closed: ['hello', 'bye'],
};

const dismissals: Partial<Record<LinkEvent, string>> = {
  'wrong-hello': 'device-mismatch',
  silence: 'hello-timeout',
  flood: 'too-many-messages',
  end: 'shutdown',
};

const answers: Partial<Record<LinkEvent, string>> = {
  'keep-alive': 'says kept-alive',
  rotate: 'offered',
  reading: 'stored',
};

/** What of a deed is seen. */
function traces(does: LinkDeed, event: LinkEvent): string[] {
  const ended = (code = '') => [`says bye ${code}`, `closed ${code}`];
  switch (does) {
    case 'open':
      return ['says welcome', 'opened'];
    case 'describe':
      return ['says welcome', 'described'];
    case 'pass on':
      return ['passed on'];
    case 'drain':
      return ['draining'];
    case 'answer':
      return [answers[event] ?? 'counted'];
    case 'refuse':
      return ended('protocol-error');
    case 'dismiss':
      return ended(dismissals[event]);
    case 'let go':
      return ended('drained');
    case 'note':
      return ['closed link-lost'];
    case 'nothing':
      return [];
  }
}

const cells = linkStates.flatMap((state) => linkEvents.map((event) => [state, event] as const));

describe('a link at the relay', () => {
  test.each(cells)('that is %s, at %s: as the table of its states says', (state, event) => {
    const { session, done, meet } = bench();
    for (const step of wayTo[state]) meet(step);
    expect(session.state).toBe(state);
    done.length = 0;
    meet(event);
    const step = linkStep(state, event);
    expect({ state: session.state, done }).toEqual({
      state: step.state,
      done: traces(step.does, event),
    });
  });

  test('has the states that PROTOCOL.md says', async () => {
    const page = await readFile(new URL('../../../shared/PROTOCOL.md', import.meta.url), 'utf8');
    const table = page.split('**At the relay**')[1]?.split('`wrong-hello`:')[0] ?? '';
    const said = table.matchAll(/^\| `([a-z-]+)` \| (.+) \| (.+) \| (.+) \|$/gm);
    const rows = [...said].map(([, event, ...words]) => [event, ...words]);
    expect(rows).toEqual(
      linkEvents.map((event) => [
        event,
        ...linkStates.slice(0, 3).map((state) => cellText(state, event)),
      ]),
    );
  });
});

/** As the page has it: what is done, and the next state where it is another. */
function cellText(state: LinkState, event: LinkEvent): string {
  const step = linkStep(state, event);
  const does = step.does === 'nothing' ? '–' : step.does;
  return step.state === state ? does : `${does} → \`${step.state}\``;
}
