import type { Head, ReplyMessage } from '@pullwire/shared';
import { describe, expect, test } from 'vitest';
import { ReplyDesk } from './reply-desk.ts';
import { mintReplyTo, replyToKey } from './reply-to.ts';

const key = replyToKey('1', Buffer.alloc(32, 7));
const pullId = 'AAECAwQFBgcICQoLDA0ODw';
const otherPull = 'DwECAwQFBgcICQoLDA0ODw';
const tokenFor = (id: string, device: string, expiresAt = 100): string =>
  mintReplyTo(key, { host: 'h', pullId: id, device, expiresAt });

function head(id: string, replyTo: string): Head {
  return { action: 'head', pullId: id, replyTo, seq: 0, status: 200, headers: [], end: true };
}

function desk(): { desk: ReplyDesk; got: ReplyMessage[] } {
  const got: ReplyMessage[] = [];
  const replies = new ReplyDesk([key], () => 50);
  replies.expect({
    pullId,
    device: 'plant-7',
    replyTo: tokenFor(pullId, 'plant-7'),
    receive: (message) => got.push(message),
  });
  return { desk: replies, got };
}

const plant7 = { device: 'plant-7', connectionId: 'c' };

describe('reply desk', () => {
  test('a frame that was checked and passed on reaches its pull; one of a pull that ended is late', () => {
    const { desk: replies, got } = desk();
    expect(replies.passedOn(head(pullId, tokenFor(pullId, 'plant-7')))).toBeUndefined();
    expect(replies.passedOn(head(otherPull, tokenFor(otherPull, 'plant-7')))).toBe('late');
    expect(replies.passedOn(head(pullId, tokenFor(otherPull, 'plant-7')))).toBe('late');
    expect([got.length, replies.strays.late]).toEqual([1, 2]);
  });

  test('a frame reaches the pull that waits for it', () => {
    const { desk: replies, got } = desk();
    expect(replies.receive(head(pullId, tokenFor(pullId, 'plant-7')), plant7)).toBeUndefined();
    expect(got).toHaveLength(1);
  });

  test.each([
    ['forged', head(pullId, tokenFor(pullId, 'plant-7').replace(/.$/, 'x')), plant7],
    ['expired', head(otherPull, tokenFor(otherPull, 'plant-7', 50)), plant7],
    ['foreign-device', head(pullId, tokenFor(pullId, 'plant-7')), { ...plant7, device: 'plant-8' }],
    ['foreign-pull', head(pullId, tokenFor(otherPull, 'plant-7')), plant7],
    ['late', head(otherPull, tokenFor(otherPull, 'plant-7')), plant7],
    ['malformed', head(pullId, 'r1'), plant7],
  ] as const)('%s: dropped and counted', (reason, message, sender) => {
    const { desk: replies, got } = desk();
    const said = replies.receive(message, sender);
    expect(reason === 'forged' ? ['forged', 'malformed'] : [reason]).toContain(said);
    expect(got).toHaveLength(0);
    expect(Object.values(replies.strays).reduce((sum, count) => sum + count, 0)).toBe(1);
  });
});
