import { expect, it } from 'vitest';
import { costLines, costOfMillion } from './pull-cost.ts';

it('a million pulls cost what docs/aws.md says for the same use', () => {
  const use = {
    units: 3,
    posts: 2,
    calls: { http: 1, message: 1 },
    busyMs: { http: 75, message: 30 },
    reads: 0,
    writes: 0,
  };
  expect(costLines(costOfMillion(use, { http: 1_024, message: 512 }))).toEqual([
    '  a million pulls                   $',
    '  messages: 3 units of 32 KB     3.00',
    '  http: 1 call                   0.20',
    '  http: 1 GB for 75 ms           1.00',
    '  message: 1 call                0.20',
    '  message: 0.5 GB for 30 ms      0.20',
    '  in all                         4.60',
  ]);
});

it('reads and writes cost where there are some', () => {
  const use = { units: 0, posts: 0, calls: {}, busyMs: {}, reads: 2, writes: 1 };
  expect(costOfMillion(use, {})).toEqual([
    { what: 'table: 2 reads', dollars: 0.25 },
    { what: 'table: 1 write', dollars: 0.625 },
  ]);
});
