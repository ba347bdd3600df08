import { type Clock, PullFault } from '@pullwire/shared';
import type { Callers } from '../auth/callers.ts';
import type { Exchange } from '../http/exchange.ts';
import { CallerGone, PacedBody } from '../http/paced-body.ts';
import { problem } from '../http/problem.ts';
import { CallerPulls } from '../pull/caller-pulls.ts';
import { asFault } from '../pull/pull-fault.ts';
import type { PullRefusal, PullRoute, PullService } from '../pull/pull-service.ts';
import { type Failure, forwardedStatus } from './cache-status.ts';
import { FallbackExchange, type StandIn } from './fallback-exchange.ts';
import { isMiss, type Miss, notStored } from './stored-answer.ts';
import type { StoredAnswerGiven } from './stored-answer-given.ts';
import {
  type ReadyAnswer,
  StoredFinder,
  type StoredFinderOptions,
  type WishedPull,
} from './stored-finder.ts';
import { comesFirst, storedWish } from './stored-wish.ts';

export interface StoredPullsOptions {
  readonly pulls: Pick<PullService, 'start'>;
  readonly callers: Callers;
  readonly registry: StoredFinderOptions['registry'];
  reader: StoredFinderOptions['reader'];
  readonly clock: Clock;
  /** Stored answers that are on their way to one caller; undefined: the host counts otherwise. */
  readonly pullsPerCaller?: number | undefined;
  given(answer: StoredAnswerGiven): void;
  /** A request that got neither a stored answer nor a pull. */
  refused(refusal: PullRefusal): void;
  /** A stored answer could not be read, or broke off. */
  failed(device: string, error: unknown): void;
}

/** So long an error waits for what may stand in for it (milliseconds). */
const standInMs = 2_000;
/** For how long a caller may take nothing (milliseconds). */
const patienceMs = 60_000;

/** Pulls whose callers may be given a stored answer, because they say so (docs/offline.md); all others pass at once. */
export class StoredPulls {
  readonly #options: StoredPullsOptions;
  readonly #callerPulls: CallerPulls;
  readonly #finder: StoredFinder;

  constructor(options: StoredPullsOptions) {
    const { callers, registry, reader, clock, pullsPerCaller } = options;
    this.#options = options;
    this.#callerPulls = new CallerPulls(pullsPerCaller);
    this.#finder = new StoredFinder({
      ...{ callers, registry, reader },
      callerPulls: this.#callerPulls,
      wall: () => clock.wall(),
    });
  }

  /** Answers the exchange, at once or later; never throws. */
  start(exchange: Exchange, route: PullRoute): void {
    const wish = storedWish(exchange);
    if (wish === undefined) return this.#options.pulls.start(exchange, route);
    const pull = { exchange, route, wish };
    this.#begin(pull).catch((error) => this.#refuse(pull, error));
  }

  async #begin(pull: WishedPull): Promise<void> {
    const { wish, exchange } = pull;
    if (wish.onlyIfCached) return this.#giveOrRefuse(pull);
    if (!comesFirst(wish)) return this.#forward(pull, undefined);
    const found = await this.#findFirst(pull);
    if (found === undefined || isMiss(found)) return this.#forward(pull, found);
    return this.#give(pull, exchange, found);
  }

  async #giveOrRefuse(pull: WishedPull): Promise<void> {
    const found = await this.#finder.find(pull);
    if (isMiss(found)) throw notStored(found);
    return this.#give(pull, pull.exchange, found);
  }

  /** Undefined where what is stored cannot be read now: the device can still be asked. */
  async #findFirst(pull: WishedPull): Promise<ReadyAnswer | Miss | undefined> {
    try {
      return await this.#finder.find(pull);
    } catch (error) {
      if (error instanceof PullFault && error.status < 500) throw error; // the caller's: nobody else says otherwise
      this.#trouble(pull, error);
      return undefined;
    }
  }

  #forward(pull: WishedPull, miss: Miss | undefined): void {
    const { exchange, route, wish } = pull;
    const cacheStatus = miss && forwardedStatus(miss);
    const asked = new FallbackExchange(exchange, {
      cacheStatus,
      ...(wish.staleIfError !== undefined && {
        standIn: (failure) => this.#standIn(pull, failure),
      }),
    });
    this.#options.pulls.start(asked, route);
  }

  async #standIn(pull: WishedPull, failure: Failure): Promise<StandIn | undefined> {
    const late = Promise.withResolvers<undefined>();
    const timer = this.#options.clock.after(standInMs, () => late.resolve(undefined));
    const looked = this.#findAfter(pull, failure);
    const found = await Promise.race([looked, late.promise]);
    timer.cancel();
    if (found === undefined) {
      void looked.then((answer) => answer && drop(answer));
      return undefined;
    }
    return {
      give: (exchange) => void this.#give(pull, exchange, found),
      drop: () => void drop(found),
    };
  }

  /** Never rejects: whatever is wrong, there is an error to answer with already. */
  async #findAfter(pull: WishedPull, failure: Failure): Promise<ReadyAnswer | undefined> {
    try {
      const found = await this.#finder.find(pull, failure);
      return isMiss(found) ? undefined : found;
    } catch (error) {
      this.#trouble(pull, error);
      return undefined;
    }
  }

  /** Never rejects. */
  async #give({ route }: WishedPull, exchange: Exchange, answer: ReadyAnswer): Promise<void> {
    const { device, source, path } = route;
    const { response, cacheStatus, freshness, caller } = answer;
    const { status } = response;
    this.#callerPulls.began(caller.id);
    try {
      exchange.head(status, undefined, response.headers);
      await this.#send(exchange, answer);
      const { ageSeconds } = freshness;
      const said = { caller: caller.name, device, source, method: exchange.method, path };
      this.#options.given({ ...said, status, ageSeconds, cacheStatus });
    } catch (error) {
      exchange.breakOff();
      if (!(error instanceof CallerGone)) this.#options.failed(device, error);
    } finally {
      this.#callerPulls.ended(caller.id);
    }
  }

  async #send(exchange: Exchange, { body, reading }: ReadyAnswer): Promise<void> {
    if (body === undefined || body instanceof Uint8Array) return exchange.end(body);
    const paced = new PacedBody(exchange, this.#options.clock, patienceMs);
    let sent = 0;
    for await (const chunk of body) {
      sent += chunk.length;
      await paced.write(chunk);
    }
    if (sent !== reading.length) {
      throw new Error(`${sent} bytes are stored of a reading that has ${reading.length}`);
    }
    paced.end();
  }

  /** A store that cannot be read is said once by whoever watches over it; what remains is a mistake, or an object's. */
  #trouble({ route }: WishedPull, error: unknown): void {
    const known = error instanceof PullFault && error.code !== 'storage-unavailable';
    if (!known) this.#options.failed(route.device, error);
  }

  #refuse({ exchange, route }: WishedPull, error: unknown): void {
    if (!(error instanceof PullFault)) this.#options.failed(route.device, error);
    const fault = asFault(error);
    const { method } = exchange;
    exchange.answer(problem(fault, { method, answeredBy: 'relay' }));
    this.#options.refused({ method, device: route.device, source: route.source, fault });
  }
}

/** Closes what was opened for it. */
async function drop({ body }: ReadyAnswer): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) return;
  try {
    for await (const _ of body) break; // only what was begun has an end
  } catch {
    // it could not be read: nobody wants it
  }
}
