import type { PayloadName } from './system/payload.ts';

/** By what a case's rate is told. */
export type RateUnit = 'requests/s' | 'MB/s';

/** Requests from wrk, for a while. */
export interface LoadCase {
  readonly kind: 'load';
  readonly title: string;
  readonly unit: RateUnit;
  readonly payload: PayloadName;
  readonly connections: number;
  /** A load takes no less: 256 TLS handshakes alone may need a second. */
  readonly leastSeconds: number;
}

/** One download by curl. */
export interface TransferCase {
  readonly kind: 'transfer';
  readonly title: string;
  readonly unit: RateUnit;
  readonly payload: PayloadName;
}

const load = (title: string, payload: PayloadName, connections: number): LoadCase => ({
  kind: 'load',
  title,
  unit: payload === '1mb' ? 'MB/s' : 'requests/s',
  payload,
  connections,
  leastSeconds: connections < 100 ? 1 : 3,
});

/** What is measured of every system in every round. */
export const cases = {
  '200b-1': load('200 B, 1 connection', '200b', 1),
  '200b-32': load('200 B, 32 connections', '200b', 32),
  '200b-256': load('200 B, 256 connections', '200b', 256),
  '10kb-32': load('10 KB, 32 connections', '10kb', 32),
  '1mb-8': load('1 MB, 8 connections', '1mb', 8),
  '100mb': { kind: 'transfer', title: '100 MB, once', unit: 'MB/s', payload: '100mb' },
  '1gb': { kind: 'transfer', title: '1 GB, once', unit: 'MB/s', payload: '1gb' },
} as const satisfies Record<string, LoadCase | TransferCase>;

export type CaseName = keyof typeof cases;
export type LoadCaseName = {
  [Name in CaseName]: (typeof cases)[Name] extends LoadCase ? Name : never;
}[CaseName];
export const caseNames = Object.keys(cases) as readonly CaseName[];
export const loadCaseNames = caseNames.filter(
  (name): name is LoadCaseName => cases[name].kind === 'load',
);

/** Measured apart, of a fresh relay: what a link costs that nobody pulls through. */
export const idleLinks = 'idle-links';
