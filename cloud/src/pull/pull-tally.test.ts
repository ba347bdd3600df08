import { metricsText } from '@pullwire/shared/metrics';
import { expect, test } from 'vitest';
import { PullTally } from './pull-tally.ts';

const countsOf = (tally: PullTally): string[] =>
  metricsText(tally.metrics())
    .split('\n')
    .filter((line) => line.startsWith('pullwire_relay_pulls_total'));

test('pulls are counted by outcome and stage', () => {
  const tally = new PullTally();
  const late = { code: 'deadline-exceeded', stage: 'deadline', bytes: 0, ms: 30_000 };
  tally.count({ code: undefined, stage: undefined, bytes: 120, ms: 4 });
  tally.count(late);
  tally.count(late);
  tally.count({ code: 'caller-unauthenticated', stage: 'caller-auth', bytes: 0, ms: undefined });
  expect(countsOf(tally)).toEqual([
    'pullwire_relay_pulls_total{outcome="done",stage="none"} 1',
    'pullwire_relay_pulls_total{outcome="deadline-exceeded",stage="deadline"} 2',
    'pullwire_relay_pulls_total{outcome="caller-unauthenticated",stage="caller-auth"} 1',
  ]);
  const text = metricsText(tally.metrics());
  expect(text).toContain('\npullwire_relay_pull_reply_bytes_total 120\n');
  // What never went to a device would only make the durations look short.
  expect(text).toContain('\npullwire_relay_pull_duration_seconds_count 3\n');
});

test('words that are not known make no more of them', () => {
  const tally = new PullTally();
  for (let i = 0; i < 100; i += 1) {
    tally.count({ code: `code-${i}`, stage: `stage-${i}`, bytes: 0, ms: 1 });
  }
  expect(countsOf(tally)).toEqual([
    'pullwire_relay_pulls_total{outcome="other",stage="other"} 100',
  ]);
});
