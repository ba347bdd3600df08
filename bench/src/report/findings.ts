import type { IdleLinkCost } from '../idle-link/idle-link-cost.ts';
import type { Measurement } from '../measurement.ts';
import type { Skip, System } from '../system/system.ts';
import type { Figure } from './figure.ts';
import type { Machine } from './machine.ts';
import type { Target } from './target.ts';

/** Bytes of resident memory of a part of a system, before anything was asked of it. */
export interface IdleMemory {
  readonly system: System['name'];
  readonly residentBytes: Readonly<Record<string, number>>;
}

/** All that a run found; `results/latest.json` holds it with the figures and targets made of it. */
export interface Findings {
  readonly startedAt: string;
  readonly machine: Machine;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly systems: readonly Pick<System, 'name' | 'title'>[];
  readonly skipped: readonly Skip[];
  readonly measurements: readonly Measurement[];
  readonly idleMemory: readonly IdleMemory[];
  readonly idleLinks: readonly IdleLinkCost[];
}

export interface Report extends Findings {
  readonly figures: readonly Figure[];
  readonly targets: readonly Target[];
}
