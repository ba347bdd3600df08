import { type MetricFamily, metric, metricBy, processMetrics } from '@pullwire/shared/metrics';
import type { AgentSnapshot } from '../agent-snapshot.ts';
import type { LinkSnapshot } from '../link/agent-link.ts';

/** The agent for Prometheus. `pulls`: what the tally of sources makes. */
export function agentMetrics(
  version: string,
  { link, pulls }: AgentSnapshot,
  sources: readonly MetricFamily[],
): MetricFamily[] {
  return [
    metricBy(
      'gauge',
      'pullwire_agent_build_info',
      'Always 1; the version is in the label.',
      'version',
      { [version]: 1 },
    ),
    ...(link === undefined ? [] : linkMetrics(link)),
    ...(link === undefined ? [] : keepAliveMetrics(link.keepAlive)),
    metric('gauge', 'pullwire_agent_pulls_in_flight', 'Pulls under way.', pulls.inFlight),
    metric(
      'counter',
      'pullwire_agent_pulls_repeated_total',
      'Frames that asked for a pull once more, and were ignored.',
      pulls.repeated,
    ),
    metric(
      'counter',
      'pullwire_agent_stray_frames_total',
      'Frames about pulls that are over, or never were.',
      pulls.stray,
    ),
    ...sources,
    ...processMetrics(),
  ];
}

function linkMetrics({ linked, counters, waitingBytes }: LinkSnapshot): MetricFamily[] {
  const count = (name: string, help: string, value: number) =>
    metric('counter', `pullwire_agent_link_${name}_total`, help, value);
  return [
    metric(
      'gauge',
      'pullwire_agent_link_up',
      'Whether a link to the relay is open: 1 or 0.',
      linked ? 1 : 0,
    ),
    count('dials', 'Attempts to open a link.', counters.dials),
    count('opened', 'Links that the relay welcomed.', counters.links),
    count('replaced', 'Links that the next one took the place of in time.', counters.replaced),
    metricBy(
      'counter',
      'pullwire_agent_link_redials_total',
      'Links and attempts that ended and were followed by another attempt, by why they ended.',
      'reason',
      counters.redials,
    ),
    count('received_bytes', 'Bytes from the relay, without TLS, TCP and IP.', counters.bytesIn),
    count('sent_bytes', 'Bytes to the relay, without TLS, TCP and IP.', counters.bytesOut),
    count('received_frames', 'Messages from the relay.', counters.framesIn),
    count('sent_frames', 'Messages to the relay.', counters.framesOut),
    count('malformed_frames', 'Messages that ended a link.', counters.malformed),
    metric(
      'gauge',
      'pullwire_agent_link_waiting_bytes',
      'Bytes that wait in this process to be sent.',
      waitingBytes,
    ),
  ];
}

function keepAliveMetrics({ spentBytes, intervalMs }: LinkSnapshot['keepAlive']): MetricFamily[] {
  return [
    metric(
      'counter',
      'pullwire_agent_keep_alive_bytes_total',
      'What answered keep-alives cost on the wire, TLS, TCP and IP included.',
      spentBytes,
    ),
    metric(
      'gauge',
      'pullwire_agent_keep_alive_interval_seconds',
      'Silence after which the path is proved.',
      intervalMs && intervalMs / 1_000,
    ),
  ];
}
