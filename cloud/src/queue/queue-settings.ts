/** What the queue of pulls is set to; times in milliseconds. */
export interface QueueSettings {
  /** That a pull waits for its device, where its caller says nothing. */
  readonly defaultMs: number;
  /** The most that a caller may ask for (`Pullwire-Deadline`). */
  readonly maxMs: number;
  /** That the result of a pull is kept after its end. */
  readonly keepMs: number;
  /** Pulls that wait or are out, at most: for one device, and of one caller. */
  readonly perDevice: number;
  readonly perCaller: number;
  /** Bytes of one request body, and of one reply, at most. */
  readonly requestBytes: number;
  readonly replyBytes: number;
  /** Bytes of bodies that are kept beside the table for one caller, at most. */
  readonly perCallerBytes: number;
}
