import { expect, it } from 'vitest';
import type { CallFrame, SelfTime } from './cpu-profile.ts';
import { renderSummary, summarise } from './profile-summary.ts';

const frame = (functionName: string, url = ''): CallFrame => ({
  functionName,
  url,
  lineNumber: 0,
  columnNumber: 0,
});
/** As if every URL were already a source. */
const positions = {
  of: ({ functionName, url }: CallFrame) => ({ name: functionName, file: url, line: 1 }),
};
const encode = frame('encode', 'shared/src/bin-codec.ts');
const write = frame('writev');
const net = frame('doWrite', 'node:net');
const times: SelfTime[] = [
  { frame: frame('(idle)'), callers: [], micros: 5_000 },
  { frame: encode, callers: [net], micros: 1_000 },
  { frame: encode, callers: [write], micros: 500 },
  { frame: write, callers: [net], micros: 3_000 },
  { frame: frame('stringify'), callers: [encode], micros: 500 },
];

it('adds up a function over its callers, and categories over their functions', () => {
  const summary = summarise(times, positions);
  expect(summary).toMatchObject({
    totalMicros: 10_000,
    busyMicros: 5_000,
    categories: [
      { category: 'idle', micros: 5_000 },
      { category: 'system writes', micros: 3_000 },
      { category: 'codec', micros: 2_000 },
    ],
  });
  expect(summary.functions.map(({ name, micros }) => [name, micros])).toEqual([
    ['writev', 3_000],
    ['encode', 1_500],
    ['stringify', 500],
  ]);
});

it('a table shows parts of the busy time, and of the CPU time a request; idle time has no part', () => {
  const text = renderSummary('relay', summarise(times, positions), {
    requests: 100,
    cpuSeconds: 0.003,
  });
  expect(text).toContain('30.0 µs of CPU time a request over 100 requests; busy 50 % of the time.');
  expect(text).toMatch(/\| system writes +\| +60\.0 % \| +18\.00 \|/);
  expect(text).toMatch(
    /\| encode shared\/src\/bin-codec\.ts:1 +\| +30\.0 % \| +9\.00 \| +codec \|/,
  );
  expect(text).toContain('writev (native)');
  expect(text).not.toContain('idle');
});
