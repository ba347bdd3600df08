import {
  type Clock,
  Heartbeat,
  type HeartbeatTerms,
  type Movement,
  type Welcome,
} from '@pullwire/shared';
import { boundHeartbeat, type HeartbeatBounds } from './heartbeat-bounds.ts';

export interface PathWatchHooks {
  ping(): void;
  pong(): void;
  /** Sends a `keep-alive`. */
  keepAlive(): void;
  movement(): Movement;
  /** Called once; nothing is watched any more. */
  dead(): void;
}

/**
 * Proves the path of one link, both ways: by pings, or by messages where pings end in a gateway (PROTOCOL.md,
 * "Heartbeat").
 */
export class PathWatch {
  readonly #bounds: HeartbeatBounds;
  readonly #byPing: Heartbeat;
  readonly #byMessage: Heartbeat;
  #current: Heartbeat | undefined;

  constructor(clock: Clock, bounds: HeartbeatBounds, hooks: PathWatchHooks) {
    const { movement, dead } = hooks;
    const settings = { intervalMs: bounds.maxMs, timeoutMs: bounds.maxMs };
    this.#bounds = bounds;
    this.#byPing = new Heartbeat(clock, 'both-ways', settings, {
      ping: hooks.ping,
      reassure: hooks.pong,
      movement,
      dead,
    });
    this.#byMessage = new Heartbeat(clock, 'both-ways', settings, {
      ping: hooks.keepAlive,
      movement,
      dead,
    });
  }

  /** A `welcome` is an answer itself. */
  start({ heartbeat, features }: Pick<Welcome, 'heartbeat' | 'features'>): void {
    this.#current?.stop();
    this.#current = features.includes('keep-alive') ? this.#byMessage : this.#byPing;
    this.#current.start(this.#settings(heartbeat));
  }

  stop(): void {
    this.#current?.stop();
  }

  /** A pong came. */
  ponged(): void {
    if (this.#current === this.#byPing) this.#byPing.answered();
  }

  /** A `kept-alive` came, or a gateway's word that a message failed: it has arrived that far. */
  keptAlive(): void {
    if (this.#current === this.#byMessage) this.#byMessage.answered();
  }

  #settings(wish: HeartbeatTerms): { intervalMs: number; timeoutMs: number } {
    return boundHeartbeat(wish, this.#bounds);
  }
}
