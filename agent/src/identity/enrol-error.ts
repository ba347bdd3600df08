/** Why a device could not be enrolled: for people, without the code. */
export class EnrolError extends Error {
  override readonly name = 'EnrolError';
  /** The relay has decided: the same code will not do another time. */
  readonly isFinal: boolean;
  /** Milliseconds that the relay asks to wait before the next try. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    init: {
      readonly isFinal?: boolean;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.isFinal = init.isFinal ?? true;
    this.retryAfterMs = init.retryAfterMs;
  }
}
