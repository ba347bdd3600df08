import type { Clock, Pull, PullFault } from '@pullwire/shared';
import type { GrantedRequest } from './granted-request.ts';
import type { ReplyObjects } from './object-transfer.ts';
import type { PullOutcome } from './pull-outcome.ts';
import type { PullTarget } from './pull-target.ts';
import type { RequestBodyLimit, RequestToAgent } from './request-to-agent.ts';
import type { UploadedBody } from './uploaded-body.ts';

export interface PullInFlightOptions {
  readonly pull: Pull;
  readonly request: GrantedRequest;
  readonly target: PullTarget;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly requestBody: RequestBodyLimit;
  /** The request's body, where it was uploaded before. */
  readonly upload?: UploadedBody | undefined;
  /** Where large replies go; undefined where the host streams. */
  readonly objects: ReplyObjects | undefined;
  /** The try before this one. */
  readonly before?: EarlierTry;
  /** Asked once where the pull may be tried on another link: has `first.passOn` called, or `stay`. */
  again?(first: FirstTry, fault: PullFault, stay: () => void): void;
  ended(outcome: PullOutcome, request: GrantedRequest): void;
}

/** A pull that its link gives no answer to, until it is decided what becomes of it. */
export interface FirstTry {
  readonly device: string;
  readonly options: PullInFlightOptions;
  readonly request: RequestToAgent;
  /** Its caller left, or its time ran out. */
  readonly over: boolean;
  /** Leaves the caller, and what is left of the request, to the try with this id. */
  passOn(pullId: string): void;
}

export interface EarlierTry {
  readonly request: RequestToAgent;
  /** Milliseconds until the reply's head is due. */
  readonly leftMs: number;
}
