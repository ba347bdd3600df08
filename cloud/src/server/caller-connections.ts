import type { Socket } from 'node:net';
import type { Clock } from '@pullwire/shared';

/** The connections over which callers may ask for more: all but those of agents, and those that are told to close. */
export class CallerConnections {
  readonly #clock: Clock;
  readonly #open = new Set<Socket>();
  readonly #closed: (this: Socket) => void;
  #usedAt = 0;
  #changed: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    const connections = this;
    // One function for all of them: a closure each would live as long as the link that a connection may become.
    this.#closed = function (this: Socket) {
      connections.leave(this);
    };
  }

  opened(socket: Socket): void {
    this.#open.add(socket);
    socket.on('close', this.#closed);
  }

  /** Nothing more will be asked over it: it is an agent's now, or ends with its answer. */
  leave(socket: Socket): void {
    socket.off('close', this.#closed);
    if (!this.#open.delete(socket)) return;
    this.#usedAt = this.#clock.monotonic();
    this.#changed?.();
  }

  /**
   * Resolves when there are none any more, or when none was used for `quietMs`: HTTP/1.1 lets nobody tell a client that
   * is silent (RFC 9112 §9.3.1). After `withinMs` at the latest.
   */
  async gone(quietMs: number, withinMs: number): Promise<void> {
    const startedAt = this.#clock.monotonic();
    this.#usedAt = startedAt;
    for (;;) {
      const now = this.#clock.monotonic();
      const leftMs = Math.min(this.#usedAt + quietMs, startedAt + withinMs) - now;
      if (this.#open.size === 0 || leftMs <= 0) return;
      await this.#changeWithin(leftMs);
    }
  }

  #changeWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel();
        this.#changed = undefined;
        resolve();
      };
      const timer = this.#clock.after(ms, done);
      this.#changed = done;
    });
  }
}
