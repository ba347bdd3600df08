import type { BufferCollector, Hello, WireError } from '@pullwire/shared';
import type { AgentLinkOptions, AgentLinkState } from './agent-link-options.ts';
import { describeRefusal, type FinalRefusal } from './final-refusal.ts';
import type { HandshakeAnswers } from './handshake-answers.ts';
import { handshakeLimitMs } from './handshake-limit.ts';
import type { KeyOffer } from './key-offer.ts';
import { Link } from './link.ts';
import type { LinkCounters } from './link-counters.ts';
import type { LinkSocket } from './link-socket.ts';
import { ReconnectingSocket } from './reconnecting-socket.ts';
import { describeTrouble, type EndedLink, logRedial } from './redial-log.ts';
import { type LinkEnd, type Redial, redial } from './redial-policy.ts';
import { redialReason } from './redial-reason.ts';
import { cleanRemark } from './remark.ts';

/** What all lines of an agent have in common. */
export interface LinkLineParts {
  readonly options: Omit<AgentLinkOptions, 'hello' | 'onState' | 'onFinal'>;
  readonly answers: HandshakeAnswers;
  readonly offer: KeyOffer | undefined;
  readonly counters: LinkCounters;
  readonly collector: BufferCollector;
}

export interface LinkLineHooks {
  /** What the next link says. */
  hello(): Hello;
  state(line: LinkLine): void;
  /** The relay said something about its terms: a `welcome`, the first or a later one, or a `drain`. */
  terms(line: LinkLine, link: Link): void;
  /** An attempt or a link ended. Whether to dial again; false ends the line. */
  ended(line: LinkLine, trouble: string): boolean;
  /** The relay will never take this agent again. */
  final(refusal: FinalRefusal): void;
}

/** One link after the other: dials, greets, and dials again by policy, until it is told that this was the last one. */
export class LinkLine {
  readonly #parts: LinkLineParts;
  readonly #hooks: LinkLineHooks;
  readonly #socket: ReconnectingSocket;
  #link: Link | undefined;
  #state: AgentLinkState = 'closed';
  #attempt = 0;
  /** Of the last link's heartbeat, and how many dials failed since. */
  #intervalMs: number | undefined;
  #failedSince = 0;

  constructor(parts: LinkLineParts, hooks: LinkLineHooks) {
    const { options, answers } = parts;
    this.#parts = parts;
    this.#hooks = hooks;
    this.#socket = new ReconnectingSocket({
      url: options.url,
      subprotocols: options.subprotocols,
      clock: options.clock,
      handshakeMs: options.limits.handshakeMs,
      closeMs: options.limits.closeMs,
      prepare: async () => ({
        ...(await options.dial(answers.now())),
        handshakeMs: handshakeLimitMs(
          options.limits.handshakeMs,
          this.#intervalMs,
          this.#failedSince,
        ),
      }),
      explain: (end, socket, signal) => socket.explain(end, signal),
      waitAfter: (end, socket) => this.#waitAfter(end, socket),
      onDial: (socket) => this.#dialled(socket),
    });
  }

  get state(): AgentLinkState {
    return this.#state;
  }

  /** The one that is there now, from its `hello` on. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** Attempts that failed since the last stable link. */
  get attempt(): number {
    return this.#attempt;
  }

  start(): void {
    this.#socket.start();
  }

  /** Ends whatever is under way, and resolves when the socket is gone. */
  async stop(closeCode: number): Promise<void> {
    await this.#socket.stop(closeCode);
    this.#enter('closed');
  }

  #dialled(socket: LinkSocket): void {
    this.#parts.counters.dials += 1;
    this.#enter('dialling');
    socket.once('open', () => this.#opened(socket));
  }

  #opened(socket: LinkSocket): void {
    const { options, answers, offer, counters, collector } = this.#parts;
    const { receiver, readings, clock, limits, pace, logger } = options;
    answers.accepted(socket.heard);
    this.#link = new Link({
      socket,
      receiver,
      readings,
      clock,
      collector,
      pace,
      welcomeMs: limits.welcomeMs,
      counters,
      hooks: {
        state: (link) => this.#linkChanged(link, socket),
        welcomed: (link) => this.#hooks.terms(this, link),
        malformed: (error) => this.#malformed(error),
        rotate: (asking) => offer?.wished(asking),
        rotated: (rotated) => offer?.answered(rotated),
        failed: (err) => logger.error({ err }, 'a frame could not be handled'),
      },
    });
    this.#enter('greeting');
    this.#link.start(this.#hooks.hello());
  }

  #linkChanged(link: Link, socket: LinkSocket): void {
    if (link.state === 'open') this.#welcomed(link, socket.isResumed);
    if (link.state === 'draining' && link.drainWithinMs !== undefined) {
      const { drainWithinMs: withinMs } = link;
      this.#parts.options.logger.info({ withinMs }, 'the relay will close this link');
      this.#hooks.terms(this, link);
    }
    this.#enter(link.state);
  }

  #welcomed(link: Link, resumed: boolean): void {
    this.#parts.answers.welcomed();
    this.#intervalMs = link.welcome?.heartbeat.intervalMs;
    this.#failedSince = 0;
    const { relay, limits, heartbeat, endOfLifeMs } = link.welcome ?? {};
    const { subprotocol } = link;
    const terms = { subprotocol, relay, limits, heartbeat, endOfLifeMs, resumed };
    this.#parts.options.logger.info(terms, 'link open');
  }

  #malformed(error: WireError): void {
    this.#parts.options.logger.error(
      { code: error.code, detail: error.message },
      'the relay sent a malformed frame',
    );
  }

  #waitAfter(end: LinkEnd, socket: LinkSocket | undefined): number | undefined {
    const { answers } = this.#parts;
    const link = this.#link;
    if (link === undefined) this.#failedSince += 1;
    this.#link = undefined;
    const bye = link?.byeSaid;
    const why: LinkEnd = bye === undefined ? end : { cause: 'bye', code: bye.code };
    const said = bye?.reason ?? socket?.refusal?.detail;
    const remark = cleanRemark(said ?? (end.cause === 'closed' ? socket?.failure : undefined));
    const atOnce = answers.ended(end, socket?.heard);
    this.#enter('closed');
    if (!this.#hooks.ended(this, describeTrouble(why, remark))) return undefined;
    return this.#redial({ end: why, remark, atOnce, livedMs: link?.livedMs ?? 0 });
  }

  #redial(ended: Pick<EndedLink, 'end' | 'remark' | 'atOnce' | 'livedMs'>): number | undefined {
    const { options, answers } = this.#parts;
    const { random, logger } = options;
    const { end, atOnce, livedMs } = ended;
    const input = { end, livedMs, attempt: this.#attempt, random: random(), atOnce };
    const next = redial(input, options.redial);
    if ('final' in next) {
      this.#refused(ended, next);
      return undefined;
    }
    const { waitMs, attempt } = next;
    this.#attempt = attempt;
    const { redials } = this.#parts.counters;
    const reason = redialReason(end);
    redials[reason] = (redials[reason] ?? 0) + 1;
    logRedial(logger, { ...ended, clockAheadMs: answers.clockAheadMs, waitMs, attempt });
    return waitMs;
  }

  #refused(
    { end, remark }: Pick<EndedLink, 'end' | 'remark'>,
    next: Extract<Redial, { final: string }>,
  ): void {
    const { url, logger } = this.#parts.options;
    const { device } = this.#hooks.hello();
    const text = describeRefusal({ end, remark, device, url });
    logger.fatal(
      { reason: next.final, detail: remark, text },
      'the relay refuses this agent for good',
    );
    this.#hooks.final({ reason: next.final, text, exitCode: next.exitCode });
  }

  #enter(state: AgentLinkState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#hooks.state(this);
  }
}
