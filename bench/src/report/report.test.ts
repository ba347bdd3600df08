import { expect, it } from 'vitest';
import type { Measurement } from '../measurement.ts';
import type { Findings } from './findings.ts';
import { renderReport, reportOf } from './report.ts';

const measurement: Measurement = {
  system: 'nginx',
  case: '200b-32',
  round: 1,
  seconds: 2,
  requests: 40_000,
  bytes: 16_000_000,
  errors: 0,
  p50Ms: 1.5,
  p99Ms: 4,
  cpuSeconds: 1,
  residentBytes: { nginx: 8_000_000 },
};
const ours: Measurement = {
  ...measurement,
  system: 'pullwire',
  requests: 16_000,
  cpuSeconds: 1.6,
  residentBytes: { relay: 120_000_000, agent: 90_000_000 },
};
const findings: Findings = {
  startedAt: '2026-11-24T12:00:00.000Z',
  machine: {
    cpu: 'Test CPU',
    cores: 2,
    memoryBytes: 8e9,
    kernel: '6.1',
    node: 'v24.0.0',
    nginx: '1.22.1',
    wrk: '4.1.0',
    loadBefore: 0.1,
  },
  settings: { rounds: 1, seconds: 2 },
  systems: [
    { name: 'nginx', title: 'nginx proxy' },
    { name: 'pullwire', title: 'pullwire' },
    { name: 'ssh', title: 'ssh -R' },
  ],
  skipped: [{ name: 'bore', why: 'bore is not installed' }],
  measurements: [measurement, ours],
  idleMemory: [{ system: 'pullwire', residentBytes: { relay: 92_000_000, agent: 60_000_000 } }],
  idleLinks: [
    { system: 'pullwire', links: 1_000, beforeBytes: 9e7, afterBytes: 1.1e8, perLinkBytes: 20_000 },
  ],
};

it('a report shows rates with their ratio, costs, what was skipped, and the targets', () => {
  const lines = renderReport(reportOf(findings)).split('\n');
  const cells = (start: string): string[] | undefined =>
    lines
      .find((line) => line.startsWith(`| ${start}`))
      ?.split('|')
      .slice(2, -1)
      .map((cell) => cell.trim());
  expect(cells('200 B, 32 connections')).toEqual(['20,000 (1.00)', '8,000 (0.40)', '–']);
  expect(cells('– p50 / p99, ms')).toEqual(['1.50 / 4.00', '1.50 / 4.00', '–']);
  expect(cells('CPU s for 10,000 requests')).toEqual(['0.250 (1.00)', '1.00 (4.00)', '–']);
  expect(cells('memory idle, MB')).toEqual(['–', 'relay 92 + agent 60', '–']);
  expect(cells('memory under load, MB')).toEqual(['8', 'relay 120 + agent 90', '–']);
  expect(lines).toContain(
    'An idle link in the clear costs the relay 20.0 KB (1000 links: 90.0 → 110 MB).',
  );
  expect(lines).toContain('Not measured: bore: bore is not installed.');
  expect(lines).toContain(
    "pass  0.40  (at least 0.30)  200 B, 32 connections, of the nginx proxy's rate",
  );
});

it('an error is said aloud', () => {
  const report = reportOf({ ...findings, measurements: [measurement, { ...ours, errors: 3 }] });
  expect(renderReport(report)).toContain('Errors: 3 of pullwire in 200b-32.');
});

it('a run of idle links alone has no tables', () => {
  const text = renderReport(reportOf({ ...findings, systems: [], measurements: [], skipped: [] }));
  expect(text).not.toContain('|');
  expect(text).toContain('An idle link in the clear');
});

it('cases that were not measured have no rows, and no targets', () => {
  const text = renderReport(reportOf({ ...findings, measurements: [], idleLinks: [] }));
  expect(text).not.toMatch(/200 B|CPU s|```/);
});
