import { describe, expect, it } from 'vitest';
import { TokenRefusals } from './token-refusals.ts';

/** What follows from these 401s, by how much each moved the clock. */
function follow(moves: readonly (number | undefined)[]): string[] {
  const refusals = new TokenRefusals();
  return moves.map((move) => {
    const { dialAtOnce, doubtsKey } = refusals.refused(move);
    return `${dialAtOnce ? 'at once' : 'later'}, ${doubtsKey ? 'other key' : 'same key'}`;
  });
}

describe('after a 401', () => {
  it.each<[string, (number | undefined)[], string[]]>([
    ['that moved the clock', [5_000], ['at once, same key']],
    ['that moved the clock back', [-1_000], ['at once, same key']],
    ['the first one that tells the time', [0], ['at once, other key']],
    ['that tells no time', [undefined], ['later, other key']],
    ['never twice in a row', [0, 5_000], ['at once, other key', 'later, other key']],
    [
      'again after a wait',
      [0, 0, 1_000],
      ['at once, other key', 'later, other key', 'at once, same key'],
    ],
    [
      'not for a little more',
      [0, 0, 999],
      ['at once, other key', 'later, other key', 'later, other key'],
    ],
    ['not the second one', [undefined, 0], ['later, other key', 'later, other key']],
  ])('%s', (_name, moves, expected) => {
    expect(follow(moves)).toEqual(expected);
  });

  it('the row begins anew when a token was accepted', () => {
    const refusals = new TokenRefusals();
    refusals.refused(0);
    refusals.accepted();
    expect(refusals.refused(0).dialAtOnce).toBe(true);
  });
});
