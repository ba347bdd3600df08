import type { Clock, Timer } from './clock.ts';
import { isSending, type Movement } from './movement.ts';

export interface HeartbeatSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export interface HeartbeatHooks {
  ping(): void;
  movement(): Movement;
  /** Called once; the heartbeat has stopped. */
  dead(): void;
}

/**
 * Tells a dead path from a quiet one, within `intervalMs + timeoutMs` of the last byte. Whatever is received proves that
 * the path is alive, so that a ping goes out only into silence: some links are metered. A ping may wait behind data on a
 * slow uplink, so a link whose send queue moves is not dead, however late the pong; one whose queue stands still is.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #hooks: HeartbeatHooks;
  #settings: HeartbeatSettings;
  #received = 0;
  /** The ping that nothing has been received since: when it went out, and what had been sent by then. */
  #unanswered: { readonly at: number; readonly movement: Movement } | undefined;
  #timer: Timer | undefined;
  #pings = 0;

  constructor(clock: Clock, settings: HeartbeatSettings, hooks: HeartbeatHooks) {
    this.#clock = clock;
    this.#settings = settings;
    this.#hooks = hooks;
  }

  get pings(): number {
    return this.#pings;
  }

  /** Starts, or starts anew with other settings. */
  start(settings = this.#settings): void {
    this.stop();
    this.#settings = settings;
    this.#received = this.#hooks.movement().received;
    this.#unanswered = undefined;
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Looking twice an interval finds silence within one. */
  #wait(): void {
    const halfMs = this.#settings.intervalMs / 2;
    const ms = this.#unanswered === undefined ? halfMs : Math.min(halfMs, this.#answerDueMs());
    this.#timer = this.#clock.after(ms, () => this.#look());
  }

  #look(): void {
    const now = this.#hooks.movement();
    if (now.received !== this.#received) {
      this.#received = now.received;
      this.#unanswered = undefined;
    } else if (this.#unanswered === undefined) {
      this.#ping();
    } else if (this.#answerDueMs() <= 0) {
      if (!isSending(this.#unanswered.movement, now)) {
        this.stop();
        return this.#hooks.dead();
      }
      this.#unanswered = { at: this.#clock.monotonic(), movement: now };
    }
    this.#wait();
  }

  #ping(): void {
    this.#pings += 1;
    this.#hooks.ping();
    this.#unanswered = { at: this.#clock.monotonic(), movement: this.#hooks.movement() };
  }

  /** How long the answer may still take. */
  #answerDueMs(): number {
    const at = this.#unanswered?.at ?? this.#clock.monotonic();
    return at + this.#settings.timeoutMs - this.#clock.monotonic();
  }
}
