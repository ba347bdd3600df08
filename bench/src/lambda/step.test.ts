import { describe, expect, it } from 'vitest';
import { medianTimes, type Step, stepLines, stepTimes } from './step.ts';

const steps: Step[] = [
  { name: 'there', until: 'arrives', hops: 2 },
  { name: 'work', until: 'answers', hops: 0 },
];
const marks = [
  { at: 99, what: 'answers' }, // of something else, before
  { at: 121.5, what: 'arrives' },
  { at: 124, what: 'answers' },
];

describe('the steps of a pull', () => {
  it('last from the end of the one before, with and without the injected hops', () => {
    expect(stepTimes(100, marks, steps, 10)).toEqual([
      { ...steps[0], ms: 21.5, ownMs: 1.5 },
      { ...steps[1], ms: 2.5, ownMs: 2.5 },
    ]);
  });

  it('have to happen, and in their turn', () => {
    const [, ...later] = steps;
    expect(() => stepTimes(100, marks, [...later, ...steps, ...later], 10)).toThrow(
      '"answers" did not happen in its turn',
    );
  });

  it('of several pulls are medians, step by step', () => {
    const pulls = [1, 5, 2].map((ms) =>
      stepTimes(0, [{ at: ms, what: 'answers' }], steps.slice(1), 0),
    );
    expect(medianTimes(pulls)).toEqual([{ ...steps[1], ms: 2, ownMs: 2 }]);
    expect(medianTimes([])).toEqual([]);
  });

  it('are a line each, and a sum', () => {
    expect(stepLines(stepTimes(100, marks, steps, 10))).toEqual([
      '  step         ms  hops  without',
      '  there      21.5     2      1.5',
      '  work        2.5     0      2.5',
      '  in all     24.0     2      4.0',
    ]);
  });
});
