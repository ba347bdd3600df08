import type { ReadingsSnapshot } from './agent-readings.ts';
import type { SourceUse } from './health/source-tally.ts';
import type { TodaySnapshot } from './health/today-bytes.ts';
import type { LinkSnapshot } from './link/agent-link.ts';
import type { PullCounters } from './pull/pull-desk.ts';

/** The agent at this moment: for the log, `status`, and metrics. Counts are since its start. */
export interface AgentSnapshot {
  readonly agent: AgentIdentity;
  /** Undefined before the start. */
  readonly link: LinkSnapshot | undefined;
  /** Over all links. */
  readonly today: TodaySnapshot;
  /** Undefined where an issuer's token stands in the key's place. */
  readonly key: KeySnapshot | undefined;
  readonly pulls: PullCounters & { readonly inFlight: number };
  readonly sources: readonly string[];
  readonly sourceUse: readonly SourceUse[];
  readonly readings: ReadingsSnapshot;
}

export interface AgentIdentity {
  readonly version: string;
  readonly device: string;
  readonly instance: string;
  /** As it is dialled. */
  readonly relay: string;
  readonly pid: number;
  /** By this device's clock: ISO 8601. */
  readonly startedAt: string;
  readonly upMs: number;
}

export interface KeySnapshot {
  /** Of the key that signs: `ed25519:…`. */
  readonly publicKey: string;
  /** The relay has wished another one, which is not settled yet. */
  readonly changing: boolean;
}
