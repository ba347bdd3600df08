import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { generateCallerKey, hashCallerKey, isCallerKey } from './caller-key.ts';

describe('a caller key', () => {
  it('has its form, and an id that is part of it', () => {
    const made = generateCallerKey();
    expect(made.key).toMatch(/^pwk_[a-z2-9]{6}_[A-Za-z0-9_-]{43}$/);
    expect(isCallerKey(made.key)).toBe(true);
    expect(made.prefix).toBe(`pwk_${made.id}`);
    expect(made.key.startsWith(`${made.prefix}_`)).toBe(true);
  });

  it('holds 256 random bits beside its id', () => {
    const asked: number[] = [];
    const made = generateCallerKey((bytes) => {
      asked.push(bytes);
      return Buffer.alloc(bytes, 0xff);
    });
    expect(asked).toEqual([6, 32]);
    expect(made.key).toBe(`pwk_999999_${Buffer.alloc(32, 0xff).toString('base64url')}`);
  });

  it('is stored as SHA-256 of the whole of it', () => {
    const { key, hash } = generateCallerKey();
    expect(hash).toBe(createHash('sha256').update(key).digest('base64url'));
    expect(hashCallerKey(key)).toBe(hash);
  });

  it.each([
    '',
    'pwk_',
    'pwk_abcdef_short',
    `pwk_abcde_${'a'.repeat(43)}`,
    `PWK_abcdef_${'a'.repeat(43)}`,
  ])('is not %j', (text) => {
    expect(isCallerKey(text)).toBe(false);
    expect(isCallerKey(`${generateCallerKey().key}\n`)).toBe(false);
  });
});
