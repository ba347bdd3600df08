import type { FrameLimits, Held, Reading, Stored, Subprotocol } from '@pullwire/shared';

/** One open link whose relay keeps readings. After the link is lost, calls do nothing. */
export interface ReadingLink {
  readonly subprotocol: Subprotocol;
  readonly limits: FrameLimits;
  /** When the last pull came over it, by the monotonic clock; minus infinity: none did. */
  readonly pulledAt: number;
  /**
   * Sends it behind everything that pulls have to send. False where there is no room now: `ReadingReceiver.room(link)`
   * follows.
   *
   * @throws WireError where the message cannot be encoded.
   */
  reading(message: Reading): boolean;
}

/** What links tell whoever sends readings. */
export interface ReadingReceiver {
  /** The relay of this link keeps readings; it is the one to use from now on. May come again. */
  opened(link: ReadingLink): void;
  stored(stored: Stored): void;
  /** Nothing of a batch is stored, and it is to come later. */
  held(held: Held): void;
  room(link: ReadingLink): void;
  lost(link: ReadingLink): void;
}
