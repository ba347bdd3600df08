import { AwaitedAnswer } from './awaited-answer.ts';
import type { Clock, Timer } from './clock.ts';
import { bytesWritten, isSending, type Movement, movedBytes } from './movement.ts';

export interface HeartbeatSettings {
  readonly intervalMs: number;
  /** For an answer; counts as `intervalMs` where it is longer. */
  readonly timeoutMs: number;
}

export interface HeartbeatHooks {
  ping(): void;
  /** Says unasked that the peer is heard; absent where it would not get through to the peer. */
  reassure?(): void;
  movement(): Movement;
  /** As `unacknowledgedBytes`; asked for only while an answer is late. */
  unacknowledged?(): number | undefined;
  /** An answer came; before its ping the link was silent for `quietMs`, and `bytes` have moved since, either way. */
  held?(quietMs: number, bytes: number): void;
  /** Called once; the heartbeat has stopped. */
  dead(): void;
}

/**
 * What a side wants to know. `both-ways`: only an answer proves the path, and is asked for once an interval.
 * `peer-speaks`: whatever is received is proof enough, since the peer asks for answers itself.
 */
export type Proof = 'both-ways' | 'peer-speaks';

const nothingMoved: Movement = { received: 0, sent: 0, waiting: 0, inKernelQueue: 0 };

/** How often in an interval a link is looked at. */
const looks = 8;
/** More than a few control frames with their TLS records make: whoever hears that much hears data. */
const dataBytes = 512;

/**
 * Tells a dead path from a quiet or a slow one, within two intervals (PROTOCOL.md, "Heartbeat"): also one that is dead in
 * one direction alone, and one whose peer reads no more.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #proof: Proof;
  readonly #hooks: HeartbeatHooks;
  #settings: HeartbeatSettings;
  #timer: Timer | undefined;
  /** When the next look is due. */
  #lookAt = 0;
  #last = nothingMoved;
  /** At the last look. */
  #seen = nothingMoved;
  /** The last look that found data moved since the one before. */
  #busyAt = Number.NEGATIVE_INFINITY;
  /** Bytes went either way. */
  #activeAt = 0;
  #heardAt = 0;
  #answeredAt = 0;
  /** The send queue moved, or was empty. */
  #movedAt = 0;
  #reassured = { at: 0, received: 0 };
  #awaited: AwaitedAnswer | undefined;
  #pings = 0;

  constructor(clock: Clock, proof: Proof, settings: HeartbeatSettings, hooks: HeartbeatHooks) {
    this.#clock = clock;
    this.#proof = proof;
    this.#settings = settings;
    this.#hooks = hooks;
  }

  get pings(): number {
    return this.#pings;
  }

  get settings(): HeartbeatSettings {
    return this.#settings;
  }

  /** A ping waits for its answer. */
  get isAsking(): boolean {
    return this.#awaited !== undefined;
  }

  /** Silence at most until a peer that speaks is heard again or the link is dead, where nothing waits to be sent. */
  get silenceMs(): number {
    const { intervalMs } = this.#settings;
    return intervalMs + (2 * intervalMs) / looks + this.#answerMs;
  }

  /** Milliseconds of silence: before the ping that waits for its answer where there is one, else until now. */
  get quietMs(): number {
    this.#note(this.#hooks.movement());
    if (this.#awaited !== undefined) return this.#awaited.quietMs;
    return this.#last.waiting > 0 ? 0 : this.#clock.monotonic() - this.#activeAt;
  }

  /** Starts, or starts anew, in a moment in which the path is alive. */
  start(settings = this.#settings): void {
    this.stop();
    const now = this.#clock.monotonic();
    this.#last = this.#hooks.movement();
    this.#seen = this.#last;
    this.#busyAt = Number.NEGATIVE_INFINITY;
    this.#activeAt = now;
    this.#heardAt = now;
    this.#answeredAt = now;
    this.#movedAt = now;
    this.#reassured = { at: now, received: this.#last.received };
    this.#awaited = undefined;
    this.#settings = settings;
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Goes on at another pace. */
  adapt(settings: HeartbeatSettings): void {
    this.#settings = settings;
    if (this.#timer === undefined) return;
    this.stop();
    this.#wait();
  }

  /** The peer said that it hears this side: both directions are alive. */
  answered(): void {
    const awaited = this.#awaited;
    this.#answeredAt = this.#clock.monotonic();
    this.#awaited = undefined;
    this.#note(this.#hooks.movement());
    if (this.#timer === undefined) return;
    if (awaited === undefined) return;
    this.#hooks.held?.(awaited.quietMs, movedBytes(awaited.before, this.#last));
  }

  get #timeoutMs(): number {
    return Math.min(this.#settings.timeoutMs, this.#settings.intervalMs);
  }

  /**
   * For the answer to a ping. Where data has moved lately it may be behind data that is lost and sent again, in either
   * direction; a link that was quiet has nothing to wait for.
   */
  get #answerMs(): number {
    const { intervalMs } = this.#settings;
    if (this.#clock.monotonic() - this.#busyAt > 2 * intervalMs) return this.#timeoutMs;
    return Math.max(this.#timeoutMs, Math.min(0.7 * intervalMs, 2 * this.#timeoutMs));
  }

  #wait(): void {
    const now = this.#clock.monotonic();
    const answerDue = this.#awaited?.dueMs(now, this.#answerMs);
    const due = [answerDue ?? this.#askDueMs(now), this.#stallDueMs(now)].filter((ms) => ms > 0);
    const ms = Math.max(1, Math.min(this.#settings.intervalMs / looks, ...due));
    this.#lookAt = now + ms;
    this.#timer = this.#clock.after(ms, () => this.#look());
  }

  #askDueMs(now: number): number {
    const { intervalMs } = this.#settings;
    if (this.#proof === 'both-ways') return this.#answeredAt + intervalMs - now;
    // An eighth later than the peer asks, so that on a quiet link one side alone does.
    return this.#heardAt + intervalMs + intervalMs / looks - now;
  }

  #stallDueMs(now: number): number {
    if (this.#last.waiting === 0) return Number.POSITIVE_INFINITY;
    return Math.max(this.#movedAt, this.#answeredAt) + this.#stallMs - now;
  }

  /**
   * For a send queue that stands still. Where packets are lost, TCP waits twice as long before each retransmission of the
   * same one: this outlasts some of them, and ends within two intervals.
   */
  get #stallMs(): number {
    return Math.min(1.6 * this.#settings.intervalMs, 4 * this.#timeoutMs);
  }

  #look(): void {
    this.#note(this.#hooks.movement());
    this.#reassure();
    if (movedBytes(this.#seen, this.#last) > dataBytes) this.#busyAt = this.#clock.monotonic();
    this.#seen = this.#last;
    this.#noteUnacknowledged();
    if (this.#clock.monotonic() - this.#lookAt > this.#timeoutMs / 2) this.#heldUp();
    else if (this.#isDead()) {
      this.stop();
      return this.#hooks.dead();
    }
    if (this.#awaited === undefined && this.#askDueMs(this.#clock.monotonic()) <= 0) this.#ask();
    this.#wait();
  }

  /** A process that did not run judges nobody: what came meanwhile is still unread. */
  #heldUp(): void {
    const now = this.#clock.monotonic();
    this.#movedAt = now;
    this.#awaited?.sentAnew(now);
  }

  #note(now: Movement): void {
    const at = this.#clock.monotonic();
    const before = this.#last;
    this.#last = now;
    if (now.received !== before.received) this.#heard(at);
    if (bytesWritten(before, now) > 0) this.#activeAt = at;
    if (now.waiting === 0 || before.waiting === 0 || isSending(before, now)) this.#movedAt = at;
  }

  #heard(at: number): void {
    this.#activeAt = at;
    this.#heardAt = at;
    if (this.#proof === 'peer-speaks') this.#awaited = undefined;
  }

  /** A sender on a slow path has its pings behind its own data: it learns that the data arrives. */
  #reassure(): void {
    const at = this.#clock.monotonic();
    const { received } = this.#last;
    if (at - this.#reassured.at < this.#settings.intervalMs / 2) return;
    if (received - this.#reassured.received > dataBytes) {
      this.#hooks.reassure?.();
      this.#note(this.#hooks.movement());
    }
    this.#reassured = { at, received };
  }

  /** A ping behind data in the system's queue waits for as long as that moves. */
  #noteUnacknowledged(): void {
    if (this.#awaited?.mayBeBehind !== true) return;
    const bytes = this.#hooks.unacknowledged?.();
    if (bytes === undefined) return;
    this.#awaited.noteUnacknowledged(bytes, this.#last, this.#clock.monotonic());
  }

  #ask(): void {
    const at = this.#clock.monotonic();
    const quietMs = at - this.#activeAt;
    const before = this.#last;
    this.#pings += 1;
    this.#hooks.ping();
    this.#note(this.#hooks.movement());
    this.#awaited = new AwaitedAnswer({ at, quietMs, before, movement: this.#last });
  }

  #isDead(): boolean {
    const now = this.#clock.monotonic();
    if (this.#stallDueMs(now) <= 0) return true;
    const awaited = this.#awaited;
    const times = { answerMs: this.#answerMs, stallMs: this.#stallMs };
    if (awaited?.isOverdue(now, this.#last, times) !== true) return false;
    // Something came, though no answer: that may be late for as long as two intervals allow.
    const isHeard = this.#proof === 'both-ways' && this.#heardAt > awaited.sentAt;
    return !isHeard || now - awaited.sentAt >= this.#settings.intervalMs;
  }
}
