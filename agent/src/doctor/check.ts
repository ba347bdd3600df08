import type { Patient } from './patient.ts';

/** `skipped`: nothing to check here, or a check that it rests on has failed; the details say which. */
export type CheckState = 'ok' | 'warning' | 'failed' | 'skipped';

/** What a check says of one thing that it looked at. */
export interface Finding {
  readonly target: string;
  readonly state: CheckState;
  readonly details: string;
  /** What to do; each warning and failure has one. */
  readonly advice?: string;
}

/** A line of the table. */
export interface CheckLine extends Finding {
  readonly component: string;
}

/** One step of what the agent does, looked at by itself. */
export interface Check {
  /** Names it in the table, in JSON and in the `needs` of others. */
  readonly component: string;
  /** Components that must not have failed, nearest first: else it is skipped. */
  readonly needs: readonly string[];
  /** Milliseconds; then it counts as failed. */
  readonly limitMs: number;
  /** What is looked at, for a line without a finding. */
  target(patient: Patient): string;
  /** Finds at least one thing. `signal`: its time is up. */
  run(patient: Patient, signal: AbortSignal): Promise<readonly Finding[]>;
}
