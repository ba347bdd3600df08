import { describe, expect, test } from 'vitest';
import { mintReplyTo, replyToKey, verifyReplyTo } from './reply-to.ts';

const key = replyToKey('1', Buffer.alloc(32, 7));
const address = {
  host: 'host-a',
  pullId: 'AAECAwQFBgcICQoLDA0ODw',
  device: 'plant-7',
  expiresAt: 1_000,
};

describe('replyTo', () => {
  test('what was minted verifies to the same address until it expires', () => {
    const replyTo = mintReplyTo(key, address);
    expect(verifyReplyTo([key], replyTo, 999)).toEqual(address);
    expect(verifyReplyTo([key], replyTo, 1_000)).toBe('expired');
  });

  test('it fits into the limit of the wire with the longest device id', () => {
    expect(mintReplyTo(key, { ...address, device: 'd'.repeat(128) }).length).toBeLessThan(512);
  });

  test('every changed byte is found out', () => {
    const bytes = Buffer.from(mintReplyTo(key, address), 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const forged = Buffer.from(bytes);
      forged[at] = (forged[at] as number) ^ 1;
      expect(verifyReplyTo([key], forged.toString('base64url'), 0)).toBeTypeOf('string');
    }
  });

  test('a shortened or lengthened one is malformed or forged', () => {
    const replyTo = mintReplyTo(key, address);
    for (let length = 0; length < replyTo.length; length += 1) {
      expect(verifyReplyTo([key], replyTo.slice(0, length), 0)).toBeTypeOf('string');
    }
    expect(verifyReplyTo([key], `${replyTo}AAAA`, 0)).toBeTypeOf('string');
    expect(verifyReplyTo([key], 'not base64url!', 0)).toBe('malformed');
  });

  test('the key of another relay signs nothing here', () => {
    const other = replyToKey('1', Buffer.alloc(32, 8));
    expect(verifyReplyTo([key], mintReplyTo(other, address), 0)).toBe('forged');
    const named = replyToKey('2', Buffer.alloc(32, 7));
    expect(verifyReplyTo([key], mintReplyTo(named, address), 0)).toBe('unknown-key');
  });

  test('a short secret is refused', () => {
    expect(() => replyToKey('1', Buffer.alloc(31))).toThrow(RangeError);
  });
});
