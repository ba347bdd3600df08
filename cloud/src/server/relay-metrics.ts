import { type MetricFamily, metric, metricBy, processMetrics } from '@pullwire/shared/metrics';
import type { RelayCounts } from './relay-counts.ts';

export interface RelayMetricsInput {
  readonly version: string;
  readonly counts: RelayCounts;
  /** Over all links. */
  readonly queuedBytes: number;
}

/** The one-box server for Prometheus. No label names a device, a caller or a source: a fleet of any size makes no more of them. */
export function relayMetrics(
  { version, counts, queuedBytes }: RelayMetricsInput,
  further: readonly MetricFamily[],
): MetricFamily[] {
  return [
    metricBy(
      'gauge',
      'pullwire_relay_build_info',
      'Always 1; the version is in the label.',
      'version',
      {
        [version]: 1,
      },
    ),
    ...linkMetrics(counts, queuedBytes),
    ...callerMetrics(counts),
    ...further,
    ...processMetrics(),
  ];
}

function linkMetrics(counts: RelayCounts, queuedBytes: number): MetricFamily[] {
  const { links, linkEvents, refusedHandshakes, enrolled, refusedEnrolments } = counts;
  const { waiting: _waiting, ...outcomes } = counts.readings;
  const count = (name: string, help: string, value: number) =>
    metric('counter', `pullwire_relay_${name}_total`, help, value);
  const refused = (name: string, help: string, reasons: Readonly<Record<string, number>>) =>
    metricBy('counter', `pullwire_relay_${name}_refused_total`, help, 'reason', reasons);
  return [
    metric('gauge', 'pullwire_relay_links', 'Links that have said hello.', links),
    count('links_opened', 'Links that were opened.', linkEvents.opened),
    count('links_closed', 'Links that ended.', linkEvents.closed),
    count(
      'ignored_messages',
      'Messages of agents with an action that is not known.',
      linkEvents.ignored,
    ),
    metric(
      'gauge',
      'pullwire_relay_link_queued_bytes',
      'Bytes that wait for agents to take them.',
      queuedBytes,
    ),
    metricBy(
      'counter',
      'pullwire_relay_reading_batches_total',
      'Batches of readings: stored; held back by the quota of their devices; failed; dropped for want of room.',
      'outcome',
      outcomes,
    ),
    refused('handshakes', 'Links that were refused, by why.', refusedHandshakes),
    count('enrolments', 'Devices that enrolled.', enrolled),
    refused('enrolments', 'Enrolments that were refused, by why.', refusedEnrolments),
    metric(
      'gauge',
      'pullwire_relay_registry_writes_waiting',
      'Changes of links that the registry has not been told yet.',
      counts.registryWritesWaiting,
    ),
  ];
}

function callerMetrics(counts: RelayCounts): MetricFamily[] {
  const { pulls, strays, refusedCallers } = counts;
  const gauge = (name: string, help: string, value: number) =>
    metric('gauge', `pullwire_relay_${name}`, help, value);
  return [
    gauge('pulls_in_flight', 'Pulls that are with devices.', counts.pullsInFlight),
    gauge('pulls_waiting', 'Pulls that wait for their devices to come back.', counts.pullsWaiting),
    gauge('event_streams', 'Streams of GET /events that are open.', counts.eventStreams),
    metric(
      'counter',
      'pullwire_relay_pull_retries_total',
      'Pulls that were tried once more, on another link.',
      pulls.retried,
    ),
    metricBy(
      'counter',
      'pullwire_relay_queued_pulls_total',
      'Steps of queued pulls, by the state that they came to.',
      'state',
      counts.queuedPulls,
    ),
    metricBy(
      'counter',
      'pullwire_relay_callers_refused_total',
      'Requests whose caller was refused, by why.',
      'reason',
      refusedCallers,
    ),
    metricBy(
      'counter',
      'pullwire_relay_stray_frames_total',
      'Frames of replies that nobody waits for, by why.',
      'reason',
      { ...strays },
    ),
  ];
}
