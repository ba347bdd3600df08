import {
  BufferCollector,
  byeRule,
  type Clock,
  type Hello,
  type Subprotocol,
  type WireError,
} from '@pullwire/shared';
import type { Logger } from 'pino';
import type { PullReceiver } from '../pull/pull-link.ts';
import { describeRefusal, type FinalRefusal } from './final-refusal.ts';
import { HandshakeAnswers } from './handshake-answers.ts';
import type { HeartbeatBounds } from './heartbeat-bounds.ts';
import { KeyOffer } from './key-offer.ts';
import { Link, type LinkState } from './link.ts';
import { type LinkCounters, linkCounters } from './link-counters.ts';
import type { LinkKeys } from './link-keys.ts';
import type { Dial, LinkSocket } from './link-socket.ts';
import { ReconnectingSocket } from './reconnecting-socket.ts';
import { describeTrouble, type EndedLink, logRedial } from './redial-log.ts';
import { type LinkEnd, type Redial, type RedialSettings, redial } from './redial-policy.ts';
import { cleanRemark } from './remark.ts';

export type { FinalRefusal } from './final-refusal.ts';

/** PROTOCOL.md, "States of a link". */
export type AgentLinkState = 'dialling' | LinkState;

export interface AgentLinkOptions {
  readonly url: string;
  /** In order of preference; none: no subprotocol is offered, and the link speaks JSON. */
  readonly subprotocols: readonly Subprotocol[];
  readonly hello: Hello;
  readonly receiver: PullReceiver;
  /**
   * What an attempt dials with, made anew for each: the token is good for minutes. `now` is the relay's time as far as
   * it is known, in milliseconds since the epoch: tokens are signed by it.
   */
  dial(now: number): Promise<Pick<Dial, 'headers' | 'secureContext' | 'tunnel'>>;
  /** Absent where the device has no key of its own: it cannot be changed then (feature `rotate`). */
  readonly keys?: LinkKeys | undefined;
  readonly redial: RedialSettings;
  readonly heartbeat: HeartbeatBounds;
  readonly limits: LinkTimeLimits;
  readonly clock: Clock;
  /** In [0, 1). */
  random(): number;
  readonly logger: Logger;
  onState?(state: AgentLinkState): void;
  /** The link has stopped for good, by the relay's word. */
  onFinal(refusal: FinalRefusal): void;
}

export interface LinkTimeLimits {
  /** For an attempt as a whole. */
  readonly handshakeMs: number;
  /** For the relay's `welcome`. */
  readonly welcomeMs: number;
  /** For pulls under way when the agent stops. */
  readonly drainMs: number;
  /** For a closing handshake. */
  readonly closeMs: number;
}

export interface LinkSnapshot {
  readonly state: AgentLinkState;
  readonly subprotocol: string | undefined;
  readonly relay: string | undefined;
  readonly openForMs: number;
  readonly waitingBytes: number;
  readonly attempt: number;
  readonly counters: Readonly<LinkCounters>;
}

/** Keeps one link to the relay: dials, greets, dials again by policy, and drains at the end. */
export class AgentLink {
  readonly #options: AgentLinkOptions;
  readonly #socket: ReconnectingSocket;
  readonly #answers: HandshakeAnswers;
  readonly #offer: KeyOffer | undefined;
  #hello: Hello;
  #link: Link | undefined;
  #state: AgentLinkState = 'closed';
  #attempt = 0;
  #lastTrouble: string | undefined;
  #stopping: Promise<void> | undefined;
  readonly #counters = linkCounters();
  readonly #collector = new BufferCollector();

  constructor(options: AgentLinkOptions) {
    const { clock, logger, keys } = options;
    const { device } = options.hello;
    this.#options = options;
    this.#hello = options.hello;
    this.#answers = new HandshakeAnswers({ clock, keys, logger });
    this.#offer = keys && new KeyOffer({ keys, device, clock, logger });
    this.#socket = new ReconnectingSocket({
      url: options.url,
      subprotocols: options.subprotocols,
      clock,
      handshakeMs: options.limits.handshakeMs,
      closeMs: options.limits.closeMs,
      prepare: () => options.dial(this.#answers.now()),
      explain: (end, socket, signal) => socket.explain(end, signal),
      waitAfter: (end, socket) => this.#waitAfter(end, socket),
      onDial: (socket) => this.#dialled(socket),
    });
  }

  get state(): AgentLinkState {
    return this.#state;
  }

  /** For people, in one line: why there is no link, by the last one or the last attempt; undefined while all is well. */
  get lastTrouble(): string | undefined {
    return this.#lastTrouble;
  }

  /** Begins to dial; what comes of it is told to the hooks. Aborting `signal` ends the link without draining it. */
  start(signal?: AbortSignal): void {
    if (signal?.aborted) return;
    signal?.addEventListener('abort', () => this.#abort(), { once: true });
    this.#socket.start();
  }

  /**
   * Takes no new pulls, gives those under way `limits.drainMs` to finish, says `bye`, and resolves when the socket is
   * gone.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#shutDown();
    return this.#stopping;
  }

  /** What the agent offers has changed: said at once where the link is open, and at each link to come. */
  repeatHello(hello: Hello): void {
    this.#hello = hello;
    this.#link?.repeatHello(hello);
  }

  snapshot(): LinkSnapshot {
    const link = this.#link;
    return {
      state: this.#state,
      subprotocol: link?.subprotocol,
      relay: link?.welcome?.relay,
      openForMs: Math.round(link?.livedMs ?? 0),
      waitingBytes: link?.waitingBytes ?? 0,
      attempt: this.#attempt,
      counters: { ...this.#counters },
    };
  }

  async #shutDown(): Promise<void> {
    const { receiver, limits, logger } = this.#options;
    const link = this.#link;
    this.#offer?.lost();
    const drained = receiver.drain();
    if (link?.state === 'open' || link?.state === 'draining') {
      logger.info({ inFlight: receiver.inFlight, drainMs: limits.drainMs }, 'draining');
      link.drain();
      const done = await this.#within(
        limits.drainMs,
        drained.then(() => link.flushed()),
      );
      link.bye(done ? 'drained' : 'shutdown');
    } else {
      link?.bye('shutdown');
    }
    await this.#socket.stop(byeRule('shutdown').close);
    this.#enter('closed');
  }

  #abort(): void {
    this.#offer?.lost();
    this.#link?.bye('shutdown');
    this.#stopping ??= this.#socket.stop(byeRule('shutdown').close);
  }

  async #within(ms: number, work: Promise<void>): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const timer = this.#options.clock.after(ms, () => late.resolve(false));
    const done = await Promise.race([work.then(() => true), late.promise]);
    timer.cancel();
    return done;
  }

  #dialled(socket: LinkSocket): void {
    this.#counters.dials += 1;
    this.#enter('dialling');
    socket.once('open', () => this.#opened(socket));
  }

  #opened(socket: LinkSocket): void {
    const { receiver, clock, limits, heartbeat } = this.#options;
    this.#answers.accepted(socket.heard);
    this.#link = new Link({
      socket,
      receiver,
      clock,
      collector: this.#collector,
      heartbeat,
      welcomeMs: limits.welcomeMs,
      counters: this.#counters,
      hooks: {
        state: (link) => this.#linkChanged(link),
        malformed: (error) => this.#malformed(error),
        rotate: (asking) => this.#offer?.wished(asking),
        rotated: (rotated) => this.#offer?.answered(rotated),
        failed: (error) =>
          this.#options.logger.error({ err: error }, 'a frame could not be handled'),
      },
    });
    this.#enter('greeting');
    this.#link.start(this.#hello);
  }

  #linkChanged(link: Link): void {
    if (link.state === 'open') this.#welcomed(link);
    if (link.state === 'draining' && link.drainWithinMs !== undefined) {
      this.#options.logger.info({ withinMs: link.drainWithinMs }, 'the relay will close this link');
    }
    this.#enter(link.state);
  }

  #welcomed(link: Link): void {
    this.#answers.welcomed();
    this.#lastTrouble = undefined;
    this.#logOpen(link);
  }

  #logOpen(link: Link): void {
    const { relay, limits, heartbeat, endOfLifeMs } = link.welcome ?? {};
    const { subprotocol } = link;
    this.#options.logger.info({ subprotocol, relay, limits, heartbeat }, 'link open');
    if (endOfLifeMs !== undefined) {
      this.#options.logger.debug({ endOfLifeMs }, 'the relay will end this link by then');
    }
  }

  #malformed(error: WireError): void {
    this.#options.logger.error(
      { code: error.code, detail: error.message },
      'the relay sent a malformed frame',
    );
  }

  #waitAfter(end: LinkEnd, socket: LinkSocket | undefined): number | undefined {
    const link = this.#link;
    this.#link = undefined;
    this.#offer?.lost();
    if (this.#stopping !== undefined) return undefined;
    const bye = link?.byeSaid;
    const why: LinkEnd = bye === undefined ? end : { cause: 'bye', code: bye.code };
    const said = bye?.reason ?? socket?.refusal?.detail;
    const remark = cleanRemark(said ?? (end.cause === 'closed' ? socket?.failure : undefined));
    const atOnce = this.#answers.ended(end, socket?.heard);
    this.#lastTrouble = describeTrouble(why, remark);
    this.#enter('closed');
    const livedMs = link?.livedMs ?? 0;
    return this.#redial({ end: why, remark, atOnce, livedMs });
  }

  #redial(ended: Pick<EndedLink, 'end' | 'remark' | 'atOnce' | 'livedMs'>): number | undefined {
    const { random, logger } = this.#options;
    const { end, atOnce, livedMs } = ended;
    const input = { end, livedMs, attempt: this.#attempt, random: random(), atOnce };
    const next = redial(input, this.#options.redial);
    if ('final' in next) {
      this.#refused(ended, next);
      return undefined;
    }
    const { waitMs, attempt } = next;
    this.#attempt = attempt;
    const { clockAheadMs } = this.#answers;
    logRedial(logger, { ...ended, clockAheadMs, waitMs, attempt });
    return waitMs;
  }

  #refused(
    { end, remark }: Pick<EndedLink, 'end' | 'remark'>,
    next: Extract<Redial, { final: string }>,
  ): void {
    const { url, logger, onFinal } = this.#options;
    const { device } = this.#hello;
    const text = describeRefusal({ end, remark, device, url });
    this.#lastTrouble = text;
    logger.fatal(
      { reason: next.final, detail: remark, text },
      'the relay refuses this agent for good',
    );
    onFinal({ reason: next.final, text, exitCode: next.exitCode });
  }

  #enter(state: AgentLinkState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}
