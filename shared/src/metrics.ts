/** What a program's `/metrics` is made of. */
export { Histogram } from './histogram.ts';
export {
  type MetricFamily,
  metric,
  metricBy,
  metricsContentType,
  metricsText,
} from './metric.ts';
export { processMetrics } from './process-metrics.ts';
