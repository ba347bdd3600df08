import { type MetricFamily, metric } from './metric.ts';

/** Of this process, under the names that all Prometheus clients give them ("Writing client libraries", "Process metrics"). */
export function processMetrics(): MetricFamily[] {
  const { user, system } = process.cpuUsage();
  const startedAt = Date.now() / 1_000 - process.uptime();
  const gauge = (name: string, help: string, value: number) => metric('gauge', name, help, value);
  return [
    metric(
      'counter',
      'process_cpu_seconds_total',
      'CPU time of this process, user and system.',
      (user + system) / 1e6,
    ),
    gauge(
      'process_resident_memory_bytes',
      'Resident memory of this process.',
      process.memoryUsage.rss(),
    ),
    gauge(
      'process_start_time_seconds',
      'When this process started, since the epoch.',
      Math.round(startedAt * 1_000) / 1_000,
    ),
  ];
}
