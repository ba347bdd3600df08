import type { Source } from '../source/source.ts';

export interface AdmissionRequest {
  readonly method: string;
  /** Raw. */
  readonly path: string;
  /** Undefined: no body, or one of unknown length. */
  readonly bodyLength: number | undefined;
  readonly caller: string;
}

export interface Admission {
  readonly segments: readonly string[];
  /** The pull has ended: its place is free. */
  release(): void;
}

/** What of a source may be asked: throws `PullFault` where it may not. */
export interface SourcePolicy {
  admit(request: AdmissionRequest): Admission;
  /** Bytes of request body at most. */
  readonly requestBytes: number;
}

export interface PolicedSource {
  readonly source: Source;
  readonly policy: SourcePolicy;
}
