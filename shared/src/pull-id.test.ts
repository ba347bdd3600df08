import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { pullIdPattern, pullIds, WireError } from './index.ts';
import { checkPullId } from './pull-id.ts';

it('an id is 16 random bytes in base64url, in the order in which they came', () => {
  const next = pullIds((size) => Buffer.from(Array.from({ length: size }, (_, i) => i % 256)));
  expect(next()).toBe('AAECAwQFBgcICQoLDA0ODw');
  expect(next()).toBe('EBESExQVFhcYGRobHB0eHw');
});

it('random bytes are drawn 4 KiB at a time, each used once', () => {
  const sizes: number[] = [];
  const next = pullIds((size) => {
    sizes.push(size);
    return randomBytes(size);
  });
  const ids = Array.from({ length: 1_000 }, next);
  expect(new Set(ids).size).toBe(1_000);
  expect(ids.every((id) => pullIdPattern.test(id))).toBe(true);
  expect(sizes).toEqual([4_096, 4_096, 4_096, 4_096]);
});

it('a source of too few bytes is refused', () => {
  expect(() => pullIds(() => Buffer.alloc(8))()).toThrow(RangeError);
});

it('an id has one spelling', () => {
  expect(checkPullId('AAECAwQFBgcICQoLDA0ODw')).toBe('AAECAwQFBgcICQoLDA0ODw');
  expect(() => checkPullId('AAECAwQFBgcICQoLDA0ODx')).toThrow(WireError);
});
