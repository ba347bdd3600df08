import { describe, expect, it } from 'vitest';
import type { CaseName } from '../case.ts';
import type { SystemName } from '../system/system.ts';
import type { Figure } from './figure.ts';
import { allMet, targetLine, targetsOf } from './target.ts';

const figure = (system: SystemName, name: CaseName, rate: number, more = {}): Figure => ({
  system,
  case: name,
  requestsPerSecond: rate,
  megabytesPerSecond: rate,
  p50Ms: 1,
  p99Ms: 1,
  cpuSecondsPer10kRequests: 1.2,
  cpuSecondsPerGigabyte: 1,
  residentBytes: {},
  errors: 0,
  spread: 0,
  ...more,
});
const idle = { links: 1_000, beforeBytes: 0, afterBytes: 0 };

describe('targets', () => {
  it('compare ours in the clear with the nginx proxy of the same run', () => {
    const targets = targetsOf(
      [
        figure('nginx', '200b-1', 10_000),
        figure('pullwire', '200b-1', 2_800),
        figure('pullwire-tls', '200b-1', 9_000),
        figure('nginx', '1mb-8', 1_000),
        figure('pullwire', '1mb-8', 249),
      ],
      [],
    );
    expect(targets.map(({ measured, passed }) => [measured, passed])).toEqual([
      [0.28, true],
      [0.249, false],
    ]);
  });

  it('bound CPU time and memory from above', () => {
    const targets = targetsOf(
      [figure('pullwire', '200b-32', 5_000)],
      [
        { ...idle, system: 'pullwire-tls', perLinkBytes: 90_000 },
        { ...idle, system: 'pullwire', perLinkBytes: 30_001 },
      ],
    );
    expect(targets.map(({ measured, passed }) => [measured, passed])).toEqual([
      [1.2, true],
      [30.001, false],
    ]);
  });

  it('are missed by a fast system that answers with errors', () => {
    const ours = figure('pullwire', '200b-32', 9_000, { errors: 1 });
    const targets = targetsOf([figure('nginx', '200b-32', 10_000), ours], []);
    expect(targets.map(({ passed }) => passed)).toEqual([false, false]);
  });

  it('are left out where nothing was measured', () => {
    expect(targetsOf([], [])).toEqual([]);
  });
});

it('targets are met by a run that measured some, and missed none', () => {
  const met = { what: 'x', bound: 'at most', limit: 1, measured: 1, passed: true } as const;
  expect(allMet([met])).toBe(true);
  expect(allMet([met, { ...met, passed: false }])).toBe(false);
  expect(allMet([])).toBe(false);
});

it('a line says what was measured and what was promised', () => {
  const line = targetLine({
    what: 'x',
    bound: 'at least',
    limit: 0.3,
    measured: 0.254,
    passed: false,
  });
  expect(line).toBe('MISS  0.25  (at least 0.30)  x');
});
