import {
  type Clock,
  type HeartbeatSettings,
  isSending,
  type Movement,
  type Timer,
} from '@pullwire/shared';

export interface KeepAliveHooks {
  /** Sends a `keep-alive`. */
  say(): void;
  movement(): Movement;
  /** Called once; nothing is watched any more. */
  dead(): void;
}

/** How often in an interval a link is looked at: by then what moved may look this much older than it is. */
const looks = 8;

/**
 * Keeps a link through a gateway alive, and tells a dead path from a quiet one (PROTOCOL.md, "Features", `keep-alive`).
 * Each message costs money there, so that one goes out only where for an interval nothing was sent, which the gateway
 * would end the link for, or nothing was received, so that nothing proves the path.
 */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #hooks: KeepAliveHooks;
  #settings: HeartbeatSettings = { intervalMs: 0, timeoutMs: 0 };
  #timer: Timer | undefined;
  #lookedAt = 0;
  #last: Movement = { received: 0, sent: 0, waiting: 0, inKernelQueue: 0 };
  /** At the earliest. */
  #sentAt = 0;
  #heardAt = 0;
  /** The `keep-alive` that nothing has been received since. */
  #unanswered: { readonly at: number; readonly movement: Movement } | undefined;

  constructor(clock: Clock, hooks: KeepAliveHooks) {
    this.#clock = clock;
    this.#hooks = hooks;
  }

  /** Starts, or starts anew with other settings, in a moment in which the path is alive. */
  start(settings: HeartbeatSettings): void {
    this.stop();
    this.#settings = settings;
    this.#unanswered = undefined;
    this.#lookedAt = this.#clock.monotonic();
    this.#sentAt = this.#lookedAt;
    this.#heardAt = this.#lookedAt;
    this.#last = this.#hooks.movement();
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    const dueMs = Math.min(this.#settings.intervalMs / looks, this.#dueMs());
    this.#timer = this.#clock.after(Math.max(1, dueMs), () => this.#look());
  }

  /** Until there is something to do, where nothing moves. */
  #dueMs(): number {
    const { intervalMs, timeoutMs } = this.#settings;
    const now = this.#clock.monotonic();
    if (this.#unanswered !== undefined) return this.#unanswered.at + timeoutMs - now;
    return Math.min(this.#sentAt, this.#heardAt) + intervalMs - now;
  }

  #look(): void {
    const now = this.#hooks.movement();
    this.#note(now);
    if (this.#dueMs() <= 0) {
      if (this.#unanswered === undefined) this.#say();
      else if (isSending(this.#unanswered.movement, now)) this.#extend(now);
      else {
        this.stop();
        return this.#hooks.dead();
      }
    }
    this.#wait();
  }

  /** What moved may have moved right after the last look. */
  #note(now: Movement): void {
    if (now.sent !== this.#last.sent) this.#sentAt = this.#lookedAt;
    if (now.received !== this.#last.received) {
      this.#heardAt = this.#lookedAt;
      this.#unanswered = undefined;
    }
    this.#last = now;
    this.#lookedAt = this.#clock.monotonic();
  }

  #say(): void {
    this.#hooks.say();
    this.#sentAt = this.#clock.monotonic();
    this.#extend(this.#hooks.movement());
  }

  #extend(movement: Movement): void {
    this.#unanswered = { at: this.#clock.monotonic(), movement };
    this.#last = movement;
  }
}
