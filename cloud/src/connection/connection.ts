import type { FrameLimits, Pull, RelayMessage, RequestBody, RequestEnd } from '@pullwire/shared';

/** The relay's handle on an agent's socket, named as API Gateway names it. */
export interface Connection {
  /** Opaque. */
  readonly connectionId: string;
  readonly limits: FrameLimits;
  /**
   * When some of a frame that is not whole yet was last seen to come in, by the monotonic clock; absent where nothing of
   * one did, and where the host hears whole frames only.
   */
  readonly partHeardAt?: number | undefined;
  /** How many bytes of body fit into the frame of this pull. */
  bodyRoom(pull: Pull): number;
  /** Overtakes data. Throws `PullFault` `link-full` or `link-lost` where nothing can be sent. */
  control(message: RelayMessage): void;
  /**
   * Queues a frame of a pull's request body behind the other frames of this pull, in turn with other pulls.
   * Returns false where the pull should hold until `ConnectionEvents.room(pullId)`.
   */
  data(pullId: string, message: Pull | RequestBody | RequestEnd, bytes: number): boolean;
  /** Drops what is still queued for the pull. */
  forget(pullId: string): void;
  /** Says `bye` and closes with its code. */
  close(code: string, reason: string): void;
}
