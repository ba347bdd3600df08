/** Metrics as Prometheus reads them (Exposition formats, "Text-based format", version 0.0.4), and no more of it than is used. */

/** Names and values; the values come from the configuration and from closed sets, never from outside. */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** Behind the family's name: `_bucket`, `_sum` and `_count` of a histogram. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
  readonly labels?: Labels;
  readonly value: number;
}

/** All samples of one name. A name ends in its unit, in base units, and a counter's in `_total`. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** The whole text. Families without samples are left out. */
export function metricsText(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join('');
}

/** A family of one sample, or of none where there is no value. */
export function metric(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: number | undefined,
): MetricFamily {
  return { type, name, help, samples: value === undefined ? [] : [{ value }] };
}

/** A family with a sample for each value of one label. */
export function metricBy(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  label: string,
  values: Readonly<Record<string, number | undefined>>,
): MetricFamily {
  const samples = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ labels: { [label]: key }, value }],
  );
  return { type, name, help, samples };
}

function familyText({ name, help, type, samples }: MetricFamily): string {
  const lines = samples.map(({ suffix = '', labels, value }) => {
    return `${name}${suffix}${labelText(labels)} ${valueText(value)}\n`;
  });
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelText(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
