import { BufferCollector, byeRule, type Hello, type Timer } from '@pullwire/shared';
import type { AgentLinkOptions, AgentLinkState } from './agent-link-options.ts';
import type { FinalRefusal } from './final-refusal.ts';
import { HandshakeAnswers } from './handshake-answers.ts';
import { KeyOffer } from './key-offer.ts';
import type { Link } from './link.ts';
import { addMoved, type LinkCounters, linkCounters } from './link-counters.ts';
import { LinkLine, type LinkLineHooks, type LinkLineParts } from './link-line.ts';
import type { KeepAliveSnapshot } from './link-pace.ts';
import { type LinkTerm, replaceAfterMs } from './link-replacement.ts';
import { RetiringLink } from './retiring-link.ts';

export type { AgentLinkOptions, AgentLinkState } from './agent-link-options.ts';
export type { FinalRefusal } from './final-refusal.ts';

export interface LinkSnapshot {
  readonly state: AgentLinkState;
  readonly subprotocol: string | undefined;
  readonly relay: string | undefined;
  readonly openForMs: number;
  readonly waitingBytes: number;
  /** Whether there is a link now that answers pulls. */
  readonly linked: boolean;
  /** How long it has been so, over all links and attempts; where there is none yet, since the start. */
  readonly linkedForMs: number;
  /** Why there is none, for people; undefined while all is well. */
  readonly trouble: string | undefined;
  /** What last went wrong, for people; it stays when all is well again. */
  readonly lastError: LinkTrouble | undefined;
  readonly attempt: number;
  /** Whether the next link is being opened, while this one still serves. */
  readonly replacing: boolean;
  /** Links that have a successor, and finish their pulls. */
  readonly retiring: number;
  readonly counters: Readonly<LinkCounters>;
  readonly keepAlive: KeepAliveSnapshot;
}

export interface LinkTrouble {
  readonly text: string;
  /** By this device's clock: ISO 8601. */
  readonly at: string;
}

/**
 * Keeps a link to the relay: dials, greets, dials again by policy, opens the next link before the relay ends this one,
 * and drains at the end.
 */
export class AgentLink {
  readonly #options: AgentLinkOptions;
  readonly #parts: LinkLineParts;
  /** The one that is never given up. */
  #main: LinkLine;
  /** Dials the link that is to take the place of the main line's. */
  #next: LinkLine | undefined;
  readonly #retiring = new Map<LinkLine, RetiringLink>();
  #replacement: Timer | undefined;
  #hello: Hello;
  /** Of an unbroken run of links: by it the relay knows a successor of a link that is still there (PROTOCOL.md). */
  #run: string;
  #state: AgentLinkState = 'closed';
  #lastTrouble: string | undefined;
  #lastError: LinkTrouble | undefined;
  #linkedSince: number;
  #stopping: Promise<void> | undefined;

  constructor(options: AgentLinkOptions) {
    const { clock, logger, keys } = options;
    const { device } = options.hello;
    this.#options = options;
    this.#hello = options.hello;
    this.#run = options.newRun();
    this.#parts = {
      options,
      answers: new HandshakeAnswers({ clock, keys, logger }),
      offer: keys && new KeyOffer({ keys, device, clock, logger }),
      counters: linkCounters(),
      collector: new BufferCollector(),
    };
    this.#linkedSince = clock.monotonic();
    this.#main = this.#line();
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
    this.#main.start();
  }

  /**
   * Takes no new pulls, gives those under way `limits.drainMs` to finish, says `bye`, and resolves when the sockets are
   * gone.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#shutDown();
    return this.#stopping;
  }

  /** What the agent offers has changed: said at once where the link is open, and at each link to come. */
  repeatHello(hello: Hello): void {
    this.#hello = hello;
    this.#main.link?.repeatHello(this.#helloOfRun());
    this.#next?.link?.repeatHello(this.#helloOfRun());
  }

  /** How far the relay's clock is ahead of this device's, in milliseconds, as far as it is known. */
  get aheadMs(): number {
    return -this.#parts.answers.clockAheadMs;
  }

  snapshot(): LinkSnapshot {
    const { link, attempt } = this.#main;
    return {
      state: this.#state,
      subprotocol: link?.subprotocol,
      relay: link?.welcome?.relay,
      openForMs: Math.round(link?.livedMs ?? 0),
      waitingBytes: link?.waitingBytes ?? 0,
      linked: isLinked(this.#state),
      linkedForMs: Math.round(this.#options.clock.monotonic() - this.#linkedSince),
      trouble: this.#lastTrouble,
      lastError: this.#lastError,
      attempt,
      replacing: this.#next !== undefined,
      retiring: this.#retiring.size,
      counters: this.#counters(),
      keepAlive: this.#options.pace.snapshot(),
    };
  }

  /** With the bytes of the links that are there. */
  #counters(): LinkCounters {
    const { counters } = this.#parts;
    const total = { ...counters, redials: { ...counters.redials } };
    for (const { link } of [
      this.#main,
      ...this.#retiring.keys(),
      ...(this.#next ? [this.#next] : []),
    ]) {
      if (link !== undefined) addMoved(total, link.movement);
    }
    return total;
  }

  #line(): LinkLine {
    const hooks: LinkLineHooks = {
      hello: () => this.#helloOfRun(),
      state: (line) => this.#changed(line),
      terms: (line, link) => this.#termsOf(line, link),
      ended: (line, trouble) => this.#ended(line, trouble),
      final: (refusal) => this.#final(refusal),
    };
    return new LinkLine(this.#parts, hooks);
  }

  #helloOfRun(): Hello {
    return { ...this.#hello, run: this.#run };
  }

  #changed(line: LinkLine): void {
    if (line === this.#next && line.state === 'open') this.#succeed(line);
    if (line !== this.#main) return;
    if (line.state === 'open') this.#lastTrouble = undefined;
    this.#enter(line.state);
  }

  /** The relay will end the main link: the next one is dialled before. */
  #termsOf(line: LinkLine, link: Link): void {
    if (line !== this.#main || this.#stopping !== undefined || this.#next !== undefined) return;
    const { drainWithinMs: withinMs } = link;
    const endOfLifeMs = link.welcome?.endOfLifeMs;
    if (withinMs !== undefined) this.#replaceAfter({ withinMs }, link);
    else if (endOfLifeMs !== undefined) this.#replaceAfter({ endOfLifeMs }, link);
    else this.#replacement?.cancel();
  }

  #replaceAfter(term: LinkTerm, link: Link): void {
    const { clock, random } = this.#options;
    this.#replacement?.cancel();
    const waitMs = replaceAfterMs(term, link.livedMs, random());
    this.#replacement = clock.after(waitMs, () => this.#dialNext());
  }

  #dialNext(): void {
    this.#options.logger.info('dialling the next link, before the relay ends this one');
    this.#next = this.#line();
    this.#next.start();
  }

  /** The next link is open: it takes the pulls from now on, and the one before finishes its own. */
  #succeed(next: LinkLine): void {
    const before = this.#main;
    const { receiver, clock, logger } = this.#options;
    this.#parts.counters.replaced += 1;
    this.#main = next;
    this.#next = undefined;
    if (before.link === undefined) return;
    const retiring = new RetiringLink({ link: before.link, receiver, clock });
    this.#retiring.set(before, retiring);
    logger.info({ inFlight: receiver.inFlightOn(before.link) }, 'the next link is open');
    retiring.start();
  }

  /** Whether the line shall dial again. */
  #ended(line: LinkLine, trouble: string): boolean {
    this.#retiring.get(line)?.stop();
    if (this.#retiring.delete(line) || this.#stopping !== undefined) return false;
    this.#noteError(trouble);
    if (line === this.#next) return true;
    this.#lastTrouble = trouble;
    this.#replacement?.cancel();
    this.#parts.offer?.lost();
    // What of the link the relay may still believe in, it must not: the next one does not succeed it.
    this.#run = this.#options.newRun();
    if (this.#next === undefined) return true;
    this.#options.logger.info({ reason: trouble }, 'the link ended before the next one was open');
    this.#main = this.#next;
    this.#next = undefined;
    this.#main.link?.repeatHello(this.#helloOfRun());
    this.#enter(this.#main.state);
    return false;
  }

  #final(refusal: FinalRefusal): void {
    this.#lastTrouble = refusal.text;
    this.#noteError(refusal.text);
    this.#options.onFinal(refusal);
  }

  #noteError(text: string): void {
    this.#lastError = { text, at: new Date(this.#options.clock.wall()).toISOString() };
  }

  async #shutDown(): Promise<void> {
    const { receiver, limits, logger } = this.#options;
    this.#quieten();
    const next = this.#next?.stop(byeRule('shutdown').close);
    const drained = receiver.drain();
    const links = this.#links();
    const isOpen = links.some(({ state }) => state === 'open' || state === 'draining');
    if (isOpen) logger.info({ inFlight: receiver.inFlight, drainMs: limits.drainMs }, 'draining');
    for (const link of links) if (link.state === 'open') link.drain();
    const flushed = drained.then(() => Promise.all(links.map((link) => link.flushed())));
    const done = isOpen && (await this.#within(limits.drainMs, flushed));
    for (const link of links) link.bye(done ? 'drained' : 'shutdown');
    await Promise.all([next, ...this.#stopLines()]);
    this.#retiring.clear();
    this.#enter('closed');
  }

  #abort(): void {
    this.#quieten();
    for (const link of this.#links()) link.bye('shutdown');
    const stopped = Promise.all(this.#stopLines()).then(() => undefined);
    this.#stopping ??= stopped;
  }

  /** Nothing is begun any more. */
  #quieten(): void {
    this.#replacement?.cancel();
    this.#parts.offer?.lost();
    for (const retiring of this.#retiring.values()) retiring.stop();
  }

  #links(): Link[] {
    return [this.#main, ...this.#retiring.keys()].flatMap(({ link }) => link ?? []);
  }

  #stopLines(): Promise<void>[] {
    const lines = [this.#main, this.#next, ...this.#retiring.keys()];
    return lines.flatMap((line) => line?.stop(byeRule('shutdown').close) ?? []);
  }

  async #within(ms: number, work: Promise<unknown>): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const timer = this.#options.clock.after(ms, () => late.resolve(false));
    const done = await Promise.race([work.then(() => true), late.promise]);
    timer.cancel();
    return done;
  }

  #enter(state: AgentLinkState): void {
    if (this.#state === state) return;
    if (isLinked(state) !== isLinked(this.#state)) {
      this.#linkedSince = this.#options.clock.monotonic();
    }
    this.#state = state;
    this.#options.onState?.(state);
  }
}

function isLinked(state: AgentLinkState): boolean {
  return state === 'open' || state === 'draining';
}
