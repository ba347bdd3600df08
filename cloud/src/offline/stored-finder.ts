import type { AuthenticatedCaller, Callers } from '../auth/callers.ts';
import type { Exchange } from '../http/exchange.ts';
import { orUnavailable } from '../presence/or-unavailable.ts';
import type { CallerPulls } from '../pull/caller-pulls.ts';
import { checkGrant } from '../pull/pull-grant.ts';
import { refuseUnsupported } from '../pull/pull-refusal.ts';
import type { PullRoute } from '../pull/pull-service.ts';
import { openOrMissing, orStored } from '../reading/or-stored.ts';
import type { ReadingReader } from '../reading/reading-reader.ts';
import type { Registry } from '../registry/registry.ts';
import { type Failure, storedStatus } from './cache-status.ts';
import { choose, isMiss, type Miss, nothing, type StoredAnswer } from './stored-answer.ts';
import { type StoredResponse, storedResponse } from './stored-response.ts';
import type { StoredWish } from './stored-wish.ts';

/** A pull whose caller may take a stored answer. */
export interface WishedPull {
  readonly exchange: Exchange;
  readonly route: PullRoute;
  readonly wish: StoredWish;
}

/** An answer that can go out. */
export interface ReadyAnswer extends StoredAnswer {
  readonly caller: AuthenticatedCaller;
  readonly response: StoredResponse;
  readonly cacheStatus: string;
  /** From its first byte; undefined where none is sent. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
}

export interface StoredFinderOptions {
  readonly callers: Callers;
  readonly registry: Pick<Registry, 'deviceRecord'>;
  /** Loaded with the first who asks for it. */
  reader():
    | Pick<ReadingReader, 'latest' | 'open'>
    | Promise<Pick<ReadingReader, 'latest' | 'open'>>;
  /** Stored answers on their way, by caller. */
  readonly callerPulls: Pick<CallerPulls, 'check'>;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
}

/** Finds what is stored for a pull, for a caller who may make that pull: its grant is checked first, as for any. */
export class StoredFinder {
  readonly #options: StoredFinderOptions;

  constructor(options: StoredFinderOptions) {
    this.#options = options;
  }

  /**
   * `failure`: how asking the device ended; undefined where it was not asked. Rejects with `PullFault` where the caller may
   * not make this pull, or what is stored cannot be read.
   */
  async find(pull: WishedPull, failure?: Failure): Promise<ReadyAnswer | Miss> {
    const { exchange, route } = pull;
    const { caller, record, mayGet } = await this.#granted(pull);
    refuseUnsupported(exchange);
    this.#options.callerPulls.check(caller.id);
    if (!mayGet) return nothing;
    const reader = await this.#options.reader();
    const { source, path, query } = route;
    const series = { source, path, ...(query !== undefined && { query }) };
    const reading = await orStored(reader.latest(record, series, 'answer'));
    const occasion = failure === undefined ? 'first' : 'after-error';
    const { headers } = exchange;
    const found = choose(
      { route, headers, wish: pull.wish },
      reading,
      occasion,
      this.#options.wall(),
    );
    return isMiss(found) ? found : this.#ready(pull, caller, found, failure);
  }

  /** Readings are what a GET gave: who may make HEAD alone gets nothing of them. */
  async #granted({ exchange, route }: WishedPull) {
    const { callers, registry } = this.#options;
    const caller = await callers.authenticate(exchange);
    const found = await orUnavailable(registry.deviceRecord(route.device));
    const record = checkGrant(caller, found, route, exchange.method);
    const { device, labels } = record;
    return {
      ...{ caller, record },
      mayGet: caller.grants.allows(device, labels, route.source, 'GET') === 'allowed',
    };
  }

  async #ready(
    { exchange }: WishedPull,
    caller: AuthenticatedCaller,
    found: StoredAnswer,
    failure: Failure | undefined,
  ): Promise<ReadyAnswer | Miss> {
    const { method, headers } = exchange;
    const cacheStatus = storedStatus(found.freshness, failure);
    const pullId = failure?.pullId;
    const response = storedResponse(found, { method, headers, cacheStatus, pullId });
    const ready = { ...found, caller, response, cacheStatus };
    if (!response.hasBody) return { ...ready, body: undefined };
    const { objects, body } = found.reading;
    if (objects === 0) return { ...ready, body: body ?? new Uint8Array(0) };
    const reader = await this.#options.reader();
    const opened = await orStored(openOrMissing(reader, found.reading));
    return opened === undefined ? nothing : { ...ready, body: opened };
  }
}
