import { type CaseName, cases } from '../case.ts';
import type { Measurement } from '../measurement.ts';
import type { SystemName } from '../system/system.ts';
import { median, spread } from './median.ts';

/** One system under one case: medians over the rounds. */
export interface Figure {
  readonly system: SystemName;
  readonly case: CaseName;
  readonly requestsPerSecond: number;
  readonly megabytesPerSecond: number;
  /** Only of load. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly cpuSecondsPer10kRequests: number;
  readonly cpuSecondsPerGigabyte: number;
  /** By part. */
  readonly residentBytes: Readonly<Record<string, number>>;
  /** Of all rounds. */
  readonly errors: number;
  /** Of the rounds' rates. */
  readonly spread: number;
}

export function figuresOf(measurements: readonly Measurement[]): Figure[] {
  const groups = Map.groupBy(measurements, (one) => `${one.system} ${one.case}`);
  return [...groups.values()].map(figureOf);
}

function figureOf(group: readonly Measurement[]): Figure {
  const [first] = group as [Measurement, ...Measurement[]];
  const middle = (of: (one: Measurement) => number): number => median(group.map(of));
  const latency = (name: 'p50Ms' | 'p99Ms'): number | undefined =>
    first[name] === undefined ? undefined : middle((one) => one[name] ?? 0);
  return {
    system: first.system,
    case: first.case,
    requestsPerSecond: middle((one) => one.requests / one.seconds),
    megabytesPerSecond: middle((one) => one.bytes / one.seconds / 1e6),
    p50Ms: latency('p50Ms'),
    p99Ms: latency('p99Ms'),
    cpuSecondsPer10kRequests: middle((one) => (one.cpuSeconds / one.requests) * 1e4),
    cpuSecondsPerGigabyte: middle((one) => (one.cpuSeconds / one.bytes) * 1e9),
    residentBytes: Object.fromEntries(
      Object.keys(first.residentBytes).map((part) => [
        part,
        middle((one) => one.residentBytes[part] ?? 0),
      ]),
    ),
    errors: group.reduce((sum, { errors }) => sum + errors, 0),
    spread: spread(group.map((one) => one.requests / one.seconds)),
  };
}

/** In the unit of its case. */
export function rateOf(figure: Figure): number {
  const { unit } = cases[figure.case];
  return unit === 'MB/s' ? figure.megabytesPerSecond : figure.requestsPerSecond;
}

export function findFigure(
  figures: readonly Figure[],
  system: SystemName,
  name: CaseName,
): Figure | undefined {
  return figures.find((figure) => figure.system === system && figure.case === name);
}
