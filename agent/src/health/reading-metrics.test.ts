import { metricsText } from '@pullwire/shared/metrics';
import { expect, test } from 'vitest';
import { readingMetrics } from './reading-metrics.ts';

test('spool and schedules are told by bounded labels, and nothing of the oldest where none waits', () => {
  const schedule = {
    cron: '* * * * *',
    timeZone: undefined,
    nextAt: 1,
    running: false,
    last: undefined,
  };
  const hold = { until: 1, code: 'quota-full', detail: 'd' };
  const text = metricsText(
    readingMetrics({
      spool: {
        ...{ depth: 0, bytes: 0, oldestAt: undefined, taken: 9, unwritten: 0, commits: 4 },
        dropped: { full: 2, age: 1, unwritten: 0 },
        trouble: 'the disk is full',
      },
      sending: { sent: 6, refused: 0, batches: 2, again: 1, held: 3, unanswered: 0, hold },
      schedules: { pressure: { ...schedule, runs: 9, missed: 1, skipped: 0 } },
    }),
  );
  expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
    'pullwire_agent_schedule_runs_total{schedule="pressure"} 9',
    'pullwire_agent_schedule_missed_total{schedule="pressure"} 1',
    'pullwire_agent_schedule_skipped_total{schedule="pressure"} 0',
    'pullwire_agent_spool_readings 0',
    'pullwire_agent_spool_bytes 0',
    'pullwire_agent_spool_unwritten_readings 0',
    'pullwire_agent_spool_up 0',
    'pullwire_agent_spool_taken_total 9',
    'pullwire_agent_spool_dropped_total{reason="full"} 2',
    'pullwire_agent_spool_dropped_total{reason="age"} 1',
    'pullwire_agent_spool_dropped_total{reason="unwritten"} 0',
    'pullwire_agent_readings_stored_total 6',
    'pullwire_agent_readings_held 1',
    'pullwire_agent_reading_batches_held_total 3',
    'pullwire_agent_readings_refused_total 0',
    'pullwire_agent_reading_batches_repeated_total 1',
  ]);
});
