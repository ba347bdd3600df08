import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob } from './glob.ts';

describe('a glob', () => {
  it.each([
    ['plant-7', 'plant-7', true],
    ['plant-7', 'plant-70', false],
    ['plant-*', 'plant-7', true],
    ['plant-*', 'plant-', true],
    ['plant-*', 'plantx', false],
    ['plant-*', 'Plant-7', false],
    ['plant-*', 'my-plant-7', false],
    ['*-7', 'plant-7', true],
    ['*-7', 'plant-77', false],
    ['*', '', true],
    ['*', 'anything', true],
    ['**', 'anything', true],
    ['a*b', 'ab', true],
    ['a*b', 'a', false],
    ['ab*ba', 'aba', false],
    ['ab*ba', 'abba', true],
    ['a*b*c', 'axxbxxc', true],
    ['a*b*c', 'axxcxxb', false],
    ['a*bc*d', 'abbcd', true],
    ['plant-?', 'plant-7', false],
    ['plant-.', 'plant-7', false],
    ['', '', true],
    ['', 'a', false],
  ])('%j of %j is %j', (glob, text, expected) => {
    expect(compileGlob(glob)(text)).toBe(expected);
  });

  it('agrees with the regular expression that says the same', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), maxLength: 8 });
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 12 });
    fc.assert(
      fc.property(letters, texts, (glob, text) => {
        const same = new RegExp(`^${glob.replaceAll('*', '.*')}$`);
        expect(compileGlob(glob)(text)).toBe(same.test(text));
      }),
    );
  });

  it('takes no longer for patterns that make others try again and again', () => {
    const matches = compileGlob(`${'a*'.repeat(50)}b`);
    expect(matches('a'.repeat(100_000))).toBe(false);
  });
});
