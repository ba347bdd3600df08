import type { ErrorCode, Pull } from '@pullwire/shared';

/** How a pull ended at one link, for the log and the counters. */
export interface PullOutcome {
  readonly pull: Pull;
  readonly device: string;
  readonly instance: string;
  readonly status: number | undefined;
  readonly code: ErrorCode | undefined;
  readonly stage: string | undefined;
  readonly detail: string | undefined;
  readonly bytes: number;
  /** Since its request came. */
  readonly ms: number;
  /** The pull id under which it was tried once more: its caller has not been answered yet. */
  readonly retriedAs: string | undefined;
}
