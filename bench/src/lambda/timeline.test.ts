import { expect, it } from 'vitest';
import { timelineLines } from './timeline.ts';
import { Trace } from './trace.ts';

it('lists what happened in the order in which it began, with how long it took', () => {
  let now = 100;
  const trace = new Trace(() => now);
  const at = (ms: number, what: string) => {
    now = ms;
    trace.mark(what);
  };
  at(101, 'asked');
  at(102, 'dials');
  at(111.25, 'answered');
  at(130, 'open');
  at(131, 'asked');
  const spans = [
    { name: 'dial', begin: 'dials', end: 'open' },
    { name: 'key', begin: 'asked', end: 'answered' },
    { name: 'done', begin: 'open' },
    { name: 'never', begin: 'sweeps', end: 'swept' },
  ];
  expect(timelineLines(100, trace.marks, spans)).toEqual([
    '       1.0 ms    10.3 ms  key',
    '       2.0 ms    28.0 ms  dial',
    '      30.0 ms             done',
  ]);
  trace.clear();
  expect(trace.marks).toEqual([]);
});
