import { describe, expect, it } from 'vitest';
import { nearest } from './near-miss.ts';

const known = ['device', 'instance', 'redial.capMs', 'ca', 'log.level'];

describe('nearest', () => {
  it.each([
    ['devise', 'device'],
    ['Device', 'device'],
    ['instnace', 'instance'],
    ['redial.cap', 'redial.capMs'],
    ['log.levels', 'log.level'],
    ['cb', undefined],
    ['token', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ])('to %s is %s', (word, name) => {
    expect(nearest(word, known)).toBe(name);
  });
});
