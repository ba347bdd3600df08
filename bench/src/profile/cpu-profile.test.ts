import { expect, it } from 'vitest';
import { type CpuProfile, selfTimes } from './cpu-profile.ts';

const frame = (functionName: string) => ({ functionName, url: '', lineNumber: 0, columnNumber: 0 });
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 4] },
    { id: 2, callFrame: frame('pull'), children: [3] },
    { id: 3, callFrame: frame('encode') },
    { id: 4, callFrame: frame('(idle)') },
  ],
  startTime: 1_000,
  endTime: 1_100,
  samples: [2, 3, 3, 4, 2],
  timeDeltas: [10, 20, 20, 20, 10], // samples at 1010, 1030, 1050, 1070, 1080
};
const times = (from: number, to: number) =>
  Object.fromEntries(
    selfTimes(profile, { from, to }).map((one) => [one.frame.functionName, one.micros]),
  );

it('a sample stands for the time until the next one, the last until the end', () => {
  expect(times(0, 9_999)).toEqual({ pull: 20 + 20, encode: 20 + 20, '(idle)': 10 });
});

it('only the time within the window counts', () => {
  expect(times(1_045, 1_075)).toEqual({ encode: 25, '(idle)': 5 });
  expect(times(2_000, 3_000)).toEqual({});
});

it('knows who called, nearest first', () => {
  const encode = selfTimes(profile, { from: 0, to: 9_999 }).find(
    (one) => one.frame.functionName === 'encode',
  );
  expect(encode?.callers.map(({ functionName }) => functionName)).toEqual(['pull', '(root)']);
});
