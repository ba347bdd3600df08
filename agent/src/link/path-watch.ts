import { type Clock, Heartbeat, type HeartbeatSettings, type Movement } from '@pullwire/shared';
import type { WireKind } from './keep-alive-cost.ts';
import type { LinkPace, PaceTerms } from './link-pace.ts';

export interface PathWatchHooks {
  ping(): void;
  pong(): void;
  /** Sends a `keep-alive`. */
  keepAlive(): void;
  /** The relay should watch at this pace from now on. */
  pace(intervalMs: number): void;
  movement(): Movement;
  /** As `HeartbeatHooks.unacknowledged`. */
  unacknowledged?(): number | undefined;
  wire(): WireKind;
  /** Called once; nothing is watched any more. */
  dead(): void;
}

/**
 * Proves the path of one link, both ways: by pings, or by messages where pings end in a gateway (PROTOCOL.md,
 * "Heartbeat").
 */
export class PathWatch {
  readonly #pace: LinkPace;
  readonly #hooks: PathWatchHooks;
  readonly #byPing: Heartbeat;
  readonly #byMessage: Heartbeat;
  #current: Heartbeat | undefined;
  #terms: PaceTerms | undefined;
  #saidMs: number | undefined;

  constructor(clock: Clock, pace: LinkPace, hooks: PathWatchHooks) {
    const { ping, pong, keepAlive, movement, unacknowledged, dead } = hooks;
    const held = (quietMs: number, bytes: number): void => this.#held(quietMs, bytes);
    const common = { movement, held, dead, ...(unacknowledged && { unacknowledged }) };
    this.#pace = pace;
    this.#hooks = hooks;
    this.#byPing = new Heartbeat(clock, 'both-ways', unset, { ping, reassure: pong, ...common });
    this.#byMessage = new Heartbeat(clock, 'both-ways', unset, { ping: keepAlive, ...common });
  }

  /** A `welcome` is an answer itself. */
  start(terms: PaceTerms): void {
    this.#current?.stop();
    this.#terms = terms;
    this.#current = this.#isGateway ? this.#byMessage : this.#byPing;
    const settings = this.#pace.settings(terms);
    this.#current.start(settings);
    this.#say(settings, terms);
  }

  stop(): void {
    this.#current?.stop();
  }

  /** The link is over, and nobody has said why: the path may not have held the silence. */
  lost(): void {
    if (this.#current === undefined) return;
    const { isAsking, quietMs } = this.#current;
    this.#pace.lost(quietMs, isAsking ? 'unanswered' : 'closed');
  }

  /** A pong came. */
  ponged(): void {
    if (this.#current === this.#byPing) this.#byPing.answered();
  }

  /** A `kept-alive` came, or a gateway's word that a message failed: it has arrived that far. */
  keptAlive(): void {
    if (this.#current === this.#byMessage) this.#byMessage.answered();
  }

  get #isGateway(): boolean {
    return this.#terms?.features.includes('keep-alive') === true;
  }

  #held(quietMs: number, bytes: number): void {
    const terms = this.#terms;
    if (terms === undefined) return;
    this.#pace.held(quietMs, bytes, this.#hooks.wire(), terms);
    const settings = this.#pace.settings(terms);
    if (settings.intervalMs === this.#current?.settings.intervalMs) return;
    this.#current?.adapt(settings);
    this.#say(settings, terms);
  }

  /** A gateway does not watch: a `hello` would be written for nothing. */
  #say({ intervalMs }: HeartbeatSettings, { heartbeat }: PaceTerms): void {
    const ms = Math.max(intervalMs, heartbeat.intervalMs);
    if (this.#isGateway || ms === (this.#saidMs ?? heartbeat.intervalMs)) return;
    this.#saidMs = ms;
    this.#hooks.pace(ms);
  }
}

/** Until `welcome` says. */
const unset: HeartbeatSettings = { intervalMs: 1, timeoutMs: 1 };
