import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Mac } from './mac.ts';

test('it is the HMAC-SHA-256 of node:crypto for every key and text', () => {
  const secret = fc.uint8Array({ minLength: 32, maxLength: 64 });
  fc.assert(
    fc.property(secret, fc.uint8Array({ maxLength: 300 }), (key, text) => {
      const expected = createHmac('sha256', key).update(text).digest();
      expect(new Mac(key).of(text).equals(expected)).toBe(true);
    }),
  );
});

test('a short key is refused', () => {
  expect(() => new Mac(new Uint8Array(31))).toThrow(RangeError);
});
