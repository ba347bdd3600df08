import { expect, it } from 'vitest';
import type { Measurement } from '../measurement.ts';
import { figuresOf, findFigure } from './figure.ts';

const base: Measurement = {
  system: 'pullwire',
  case: '200b-32',
  round: 1,
  seconds: 2,
  requests: 20_000,
  bytes: 4_000_000,
  errors: 0,
  p50Ms: 3,
  p99Ms: 9,
  cpuSeconds: 2,
  residentBytes: { relay: 100, agent: 60 },
};

it('a figure is the median of the rounds, each value by itself', () => {
  const figures = figuresOf([
    base,
    { ...base, round: 2, requests: 10_000, p99Ms: 90, errors: 2 },
    {
      ...base,
      round: 3,
      requests: 30_000,
      cpuSeconds: 6,
      residentBytes: { relay: 300, agent: 70 },
    },
    { ...base, system: 'nginx' },
  ]);
  expect(figures).toHaveLength(2);
  expect(findFigure(figures, 'pullwire', '200b-32')).toEqual({
    system: 'pullwire',
    case: '200b-32',
    requestsPerSecond: 10_000,
    megabytesPerSecond: 2,
    p50Ms: 3,
    p99Ms: 9,
    cpuSecondsPer10kRequests: 2,
    cpuSecondsPerGigabyte: 500,
    residentBytes: { relay: 100, agent: 60 },
    errors: 2,
    spread: 1,
  });
});

it('a download has no percentiles', () => {
  const { p50Ms: _p50, p99Ms: _p99, ...once } = base;
  const [figure] = figuresOf([{ ...once, case: '100mb', requests: 1, bytes: 100_000_000 }]);
  expect(figure).toMatchObject({ megabytesPerSecond: 50, p50Ms: undefined, p99Ms: undefined });
});

it('what was not measured is not found', () => {
  expect(findFigure(figuresOf([base]), 'nginx', '200b-32')).toBeUndefined();
});
