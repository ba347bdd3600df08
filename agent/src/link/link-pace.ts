import type { Clock, HeartbeatSettings, Welcome } from '@pullwire/shared';
import type { Logger } from 'pino';
import { boundHeartbeat, type HeartbeatBounds } from './heartbeat-bounds.ts';
import type { IdlePath, PaceBounds, SilenceEnd } from './idle-path.ts';
import { KeepAliveCost, type WireKind } from './keep-alive-cost.ts';

export interface LinkPaceOptions {
  readonly clock: Clock;
  readonly bounds: HeartbeatBounds;
  readonly path: IdlePath;
  /** What keep-alives may cost a day; null: the link is not metered. */
  readonly dailyBytes: number | null;
  readonly logger: Logger;
}

export type PaceTerms = Pick<Welcome, 'heartbeat' | 'features'>;

/** What the link's keep-alives cost; undefined where none was counted yet. */
export interface KeepAliveSnapshot {
  readonly intervalMs: number | undefined;
  readonly exchangeBytes: number | undefined;
  readonly bytesADay: number | undefined;
  /** By all that were answered since the start. */
  readonly spentBytes: number;
  /** null: not metered. */
  readonly dailyBytes: number | null;
}

/** No path that is worth a link forgets it sooner. */
const floorMs = 15_000;
const dayMs = 86_400_000;
/** A silence of this much of an interval counts as one. */
const whole = 0.95;

/**
 * How often the links of this agent prove their path (PROTOCOL.md, "Heartbeat"): as rarely as the path allows where each
 * proof costs, and no more rarely than the relay's `welcome` and the agent's settings say.
 */
export class LinkPace {
  readonly #options: LinkPaceOptions;
  readonly #cost = new KeepAliveCost();
  #settings: HeartbeatSettings | undefined;
  #reported: { readonly at: number; readonly bytesADay: number } | undefined;
  #warnedOf: string | undefined;

  constructor(options: LinkPaceOptions) {
    this.#options = options;
  }

  /** By what is known now. */
  settings(terms: PaceTerms): HeartbeatSettings {
    const { timeoutMs } = boundHeartbeat(terms.heartbeat, this.#options.bounds);
    this.#settings = { intervalMs: this.#options.path.interval(this.#bounds(terms)), timeoutMs };
    return this.#settings;
  }

  /** An answer came after `quietMs` of silence; `bytes` is what it and its question had. */
  held(quietMs: number, bytes: number, wire: WireKind, terms: PaceTerms): void {
    this.#cost.spend(bytes, wire);
    const intervalMs = this.#settings?.intervalMs ?? Number.POSITIVE_INFINITY;
    if (quietMs < intervalMs * whole) return;
    // By its name: timers are late by a little, and intervals would creep upwards.
    this.#options.path.held(intervalMs);
    this.#cost.count(bytes, wire);
    this.settings(terms);
    this.#report(terms);
  }

  /**
   * The link ended after `quietMs` of silence. It counts only where the silence was about what the link was meant to
   * bear: a shorter one, or one in which this process did not run, says nothing about the path.
   */
  lost(quietMs: number, end: SilenceEnd): void {
    if (this.#settings === undefined) return;
    const { intervalMs } = this.#settings;
    const least = intervalMs * whole;
    if (quietMs < (end === 'unanswered' ? least : Math.min(least, floorMs))) return;
    if (quietMs <= intervalMs * 1.25) this.#options.path.lost(Math.min(quietMs, intervalMs), end);
  }

  snapshot(): KeepAliveSnapshot {
    const intervalMs = this.#settings?.intervalMs;
    return {
      intervalMs,
      exchangeBytes: this.#cost.exchangeBytes,
      bytesADay: intervalMs && this.#cost.bytesADay(intervalMs),
      spentBytes: this.#cost.spentBytes,
      dailyBytes: this.#options.dailyBytes,
    };
  }

  #bounds(terms: PaceTerms): PaceBounds {
    const { intervalMs } = boundHeartbeat(terms.heartbeat, this.#options.bounds);
    const most = this.#mostMs(terms);
    // Behind a gateway each message costs money; elsewhere a dead path is better found early than rarely asked for.
    const maxMs = terms.features.includes('keep-alive')
      ? most
      : Math.min(most, Math.max(intervalMs, this.#budgetMs ?? intervalMs));
    return { floorMs: Math.min(floorMs, intervalMs), startMs: intervalMs, maxMs };
  }

  #mostMs({ heartbeat }: PaceTerms): number {
    const { bounds } = this.#options;
    const { intervalMs } = boundHeartbeat(heartbeat, bounds);
    return Math.max(intervalMs, Math.min(heartbeat.maxIntervalMs ?? intervalMs, bounds.maxMs));
  }

  /** The interval that the budget asks for; undefined: none, or nothing was counted yet. */
  get #budgetMs(): number | undefined {
    const { dailyBytes } = this.#options;
    return dailyBytes === null ? undefined : this.#cost.intervalFor(dailyBytes);
  }

  /** Once a day, and where it has changed. */
  #report(terms: PaceTerms): void {
    const { clock, dailyBytes, logger } = this.#options;
    const { intervalMs, bytesADay } = this.snapshot();
    if (dailyBytes === null || bytesADay === undefined) return;
    const now = clock.monotonic();
    const { at, bytesADay: before } = this.#reported ?? { at: 0, bytesADay: -1 };
    if (bytesADay !== before || now - at >= dayMs) {
      this.#reported = { at: now, bytesADay };
      logger.info({ bytesADay, intervalMs, dailyBytes }, 'what keep-alives cost a day');
    }
    this.#warn(terms);
  }

  #warn(terms: PaceTerms): void {
    const { dailyBytes, logger } = this.#options;
    const why = this.#whyOver(terms);
    if (why === this.#warnedOf) return;
    this.#warnedOf = why;
    if (why === undefined) return;
    const { bytesADay } = this.snapshot();
    logger.warn({ bytesADay, dailyBytes, why }, 'keep-alives cost more than metered.dailyBytes');
  }

  /** What keeps the budget from being met; undefined: it is met, or will be once longer intervals have been tried. */
  #whyOver(terms: PaceTerms): string | undefined {
    const neededMs = this.#budgetMs ?? 0;
    const { bad } = this.#options.path.known;
    if (this.#mostMs(terms) < neededMs) {
      const ofAgent = (terms.heartbeat.maxIntervalMs ?? 0) > this.#options.bounds.maxMs;
      const setting = ofAgent ? 'heartbeat.maxMs' : "the relay's heartbeat.maxIntervalMs";
      return `${setting} allows no interval of ${neededMs} ms`;
    }
    if (bad === undefined || bad.ms > neededMs) return undefined;
    return `the path holds no silence of ${neededMs} ms; allow more in metered.dailyBytes`;
  }
}
