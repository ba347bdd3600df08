import type { Clock, Timer } from './clock.ts';
import type { Movement } from './movement.ts';

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
 * Tells a dead path from a quiet one. Whatever was received proves that the path is alive, so a ping goes out only
 * after a whole interval of silence: some links are metered. A ping may wait behind data on a slow uplink, so a link
 * whose send queue moves is not dead, however late the pong; one whose queue stands still is.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #hooks: HeartbeatHooks;
  #settings: HeartbeatSettings;
  #seen: Movement = { received: 0, sent: 0, waiting: 0, inKernelQueue: 0 };
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
    this.#seen = this.#hooks.movement();
    this.#listen();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #listen(): void {
    this.#timer = this.#clock.after(this.#settings.intervalMs, () => {
      if (this.#received()) return this.#listen();
      this.#pings += 1;
      this.#hooks.ping();
      this.#seen = this.#hooks.movement();
      this.#expectProof();
    });
  }

  #expectProof(): void {
    this.#timer = this.#clock.after(this.#settings.timeoutMs, () => {
      const before = this.#seen;
      if (this.#received()) return this.#listen();
      if (isSending(before, this.#seen)) return this.#expectProof();
      this.stop();
      this.#hooks.dead();
    });
  }

  /** Whether anything came in since the last look. */
  #received(): boolean {
    const before = this.#seen.received;
    this.#seen = this.#hooks.movement();
    return this.#seen.received !== before;
  }
}

/** Something waited, and the kernel took some of it. */
function isSending(before: Movement, now: Movement): boolean {
  if (before.waiting === 0) return false;
  return now.sent !== before.sent || now.inKernelQueue !== before.inKernelQueue;
}
