/**
 * `failed`: the handler threw or rejected. `crashed`: the process ended. `timed-out`: the manifest's seconds ran out.
 * `throttled`: every environment that may exist is busy (429 of the Invoke API). `event-too-large` and
 * `result-too-large`: over 6 MB. `malformed`: a result that JSON cannot say.
 */
export type LambdaErrorKind =
  | 'failed'
  | 'crashed'
  | 'timed-out'
  | 'throttled'
  | 'event-too-large'
  | 'result-too-large'
  | 'malformed';

/** Why an invocation gave no result; `cause` is what the handler threw. */
export class LambdaError extends Error {
  readonly kind: LambdaErrorKind;

  constructor(kind: LambdaErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LambdaError';
    this.kind = kind;
  }
}
