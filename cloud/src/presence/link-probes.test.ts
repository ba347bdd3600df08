import { type Probe, PullFault, pullIds } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, test } from 'vitest';
import type { LinkRecord } from '../registry/registry.ts';
import { link } from '../registry/registry-sample.ts';
import { ReplyDesk } from '../reply/reply-desk.ts';
import { mintReplyTo, replyToKey } from '../reply/reply-to.ts';
import { LinkProbes, type ProbeDoor, type ProbeEars, type Unproven } from './link-probes.ts';

const key = replyToKey('1', Buffer.alloc(32, 7));

/** Links as a test plays them. */
class Door implements ProbeDoor {
  readonly asked: { readonly link: LinkRecord; readonly probe: Probe; readonly said: ProbeEars }[] =
    [];
  readonly forgotten: string[] = [];
  answer: () => 'asked' | Unproven = () => 'asked';
  ready: () => Promise<void> = async () => undefined;

  async ask(of: LinkRecord, probe: Probe, said: ProbeEars): Promise<'asked' | Unproven> {
    const answer = this.answer();
    this.asked.push({ link: of, probe, said });
    return answer;
  }

  forget(_link: LinkRecord, pullId: string): void {
    this.forgotten.push(pullId);
  }
}

function world() {
  const clock = new ManualClock();
  const door = new Door();
  const replies = new ReplyDesk([key], () => 50);
  const newId = pullIds((size) => Buffer.from(Array.from({ length: size }, (_, at) => at % 251)));
  const tickets = {
    next: (device: string) => {
      const pullId = newId();
      return { pullId, replyTo: mintReplyTo(key, { host: 'h', pullId, device, expiresAt: 100 }) };
    },
  };
  return { clock, door, replies, probes: new LinkProbes({ door, replies, clock, tickets }) };
}

/** Resolves when so many links have been asked: each is after a few turns of promises. */
async function asked(door: Door, count: number): Promise<Door['asked']> {
  while (door.asked.length < count) await Promise.resolve();
  return door.asked;
}

const sender = { device: 'plant-7', connectionId: 'c-1' };

test('an answer proves the link, with the time it took and when that was', async () => {
  const { clock, door, replies, probes } = world();
  const proven = probes.prove([link()]);
  const [question] = await asked(door, 1);
  clock.advance(12.34);
  const { pullId, replyTo } = question?.probe ?? { pullId: '', replyTo: '' };
  expect(replies.receive({ action: 'probed', pullId, replyTo }, sender)).toBeUndefined();
  expect((await proven).get('c-1')).toEqual({ answered: true, rttMs: 12.3, at: 12.34 });
  expect([replies.size, clock.pending, door.forgotten]).toEqual([0, 0, [pullId]]);
});

test('what another device says, or says of something else, proves nothing', async () => {
  const { clock, door, replies, probes } = world();
  const proven = probes.prove([link()]);
  const [question] = await asked(door, 1);
  const { pullId, replyTo } = question?.probe ?? { pullId: '', replyTo: '' };
  const mallory = { device: 'mallory', connectionId: 'c-9' };
  expect(replies.receive({ action: 'probed', pullId, replyTo }, mallory)).toBe('foreign-device');
  replies.receive({ action: 'credit', pullId, replyTo, limit: 1 }, sender);
  clock.advance(5_000);
  expect((await proven).get('c-1')).toEqual({ answered: false, why: 'no-answer' });
  expect(replies.receive({ action: 'probed', pullId, replyTo }, sender)).toBe('late');
});

test('whoever asks meanwhile shares the probe that is under way', async () => {
  const { door, probes } = world();
  const both = Promise.all([probes.prove([link()]), probes.prove([link()])]);
  const [question] = await asked(door, 1);
  question?.said.heard();
  const [one, other] = await both;
  expect([one, door.asked.length]).toEqual([other, 1]);
  const again = probes.prove([link()]);
  (await asked(door, 2))[1]?.said.heard();
  expect((await again).get('c-1')?.answered).toBe(true);
});

test('of a device with many links the newest 16 are asked', async () => {
  const { door, probes } = world();
  const links = Array.from({ length: 20 }, (_, at) =>
    link({ instance: `i${at}`, connectionId: `c${at}`, connectedAt: at }),
  );
  const proven = probes.prove(links);
  for (const { said } of await asked(door, 16)) said.heard();
  const results = await proven;
  expect(links.map(({ connectionId }) => results.get(connectionId)?.answered)).toEqual([
    ...Array(4).fill(false),
    ...Array(16).fill(true),
  ]);
  expect(results.get('c0')).toEqual({ answered: false, why: 'skipped' });
});

test.each(['gone', 'unsupported', 'not-asked'] as const)(
  'a link that is %s is not waited for',
  async (why) => {
    const { door, clock, replies, probes } = world();
    door.answer = () => why;
    expect((await probes.prove([link()])).get('c-1')).toEqual({ answered: false, why });
    expect([replies.size, clock.pending]).toEqual([0, 0]);
  },
);

test('a link that is lost while it is asked, or a way back that moves, is said at once', async () => {
  const { door, probes } = world();
  const lost = probes.prove([link()]);
  (await asked(door, 1))[0]?.said.failed('gone');
  expect((await lost).get('c-1')).toEqual({ answered: false, why: 'gone' });
  const moved = probes.prove([link()]);
  await asked(door, 2);
  probes.giveUp();
  expect((await moved).get('c-1')).toEqual({ answered: false, why: 'not-asked' });
});

test('a way back that cannot be opened, and a registry that cannot be told, are faults that leave nothing behind', async () => {
  const { door, clock, replies, probes } = world();
  const fault = new PullFault('channel-unavailable', 'lookup', { detail: 'x' });
  door.ready = async () => {
    throw fault;
  };
  await expect(probes.prove([link()])).rejects.toBe(fault);
  door.ready = async () => undefined;
  door.answer = () => {
    throw fault;
  };
  await expect(probes.prove([link()])).rejects.toBe(fault);
  expect([replies.size, clock.pending]).toEqual([0, 0]);
  door.answer = () => 'asked';
  const proven = probes.prove([link()]);
  (await asked(door, 1))[0]?.said.heard();
  expect((await proven).get('c-1')?.answered).toBe(true);
});
