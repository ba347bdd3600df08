import { type MetricFamily, metric, metricBy } from '@pullwire/shared/metrics';
import type { ReadingsSnapshot } from '../agent-readings.ts';

/** Schedules, the spool and what leaves it, for Prometheus. Schedules are as many as the configuration names. */
export function readingMetrics({ spool, sending, schedules }: ReadingsSnapshot): MetricFamily[] {
  const counter = (name: string, help: string, value: number) =>
    metric('counter', `pullwire_agent_${name}_total`, help, value);
  const gauge = (name: string, help: string, value: number | undefined) =>
    metric('gauge', `pullwire_agent_${name}`, help, value);
  const bySchedule = (name: string, help: string, read: (of: Schedule) => number) =>
    metricBy(
      'counter',
      `pullwire_agent_schedule_${name}_total`,
      help,
      'schedule',
      Object.fromEntries(Object.entries(schedules).map(([key, of]) => [key, read(of)])),
    );
  return [
    bySchedule('runs', 'Times at which a schedule was run.', ({ runs }) => runs),
    bySchedule('missed', 'Times at which the agent or its clock was away.', ({ missed }) => missed),
    bySchedule('skipped', 'Times at which the run before was still on.', ({ skipped }) => skipped),
    gauge('spool_readings', 'Readings that wait for the relay.', spool.depth),
    gauge('spool_bytes', 'Bytes that they take.', spool.bytes),
    gauge(
      'spool_oldest_timestamp_seconds',
      'When the oldest of them was due; absent where none waits.',
      spool.oldestAt && spool.oldestAt / 1_000,
    ),
    gauge('spool_unwritten_readings', 'Readings that wait for the disk.', spool.unwritten),
    gauge(
      'spool_up',
      '1 where readings can be written, else 0.',
      spool.trouble === undefined ? 1 : 0,
    ),
    counter('spool_taken', 'Readings that were safe on the disk.', spool.taken),
    metricBy(
      'counter',
      'pullwire_agent_spool_dropped_total',
      'Readings that were lost, by why: no room in the spool, too old, never written.',
      'reason',
      { ...spool.dropped },
    ),
    counter('readings_stored', 'Readings that the relay said are stored.', sending.sent),
    gauge(
      'readings_held',
      '1 while the relay holds readings back, else 0.',
      sending.hold === undefined ? 0 : 1,
    ),
    counter('reading_batches_held', 'Batches that the relay wanted later.', sending.held),
    counter('readings_refused', 'Readings that the relay will never take.', sending.refused),
    counter(
      'reading_batches_repeated',
      'Batches that were sent again after a doubt.',
      sending.again,
    ),
  ];
}

type Schedule = ReadingsSnapshot['schedules'][string];
