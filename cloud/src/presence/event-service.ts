import { type Clock, PullFault } from '@pullwire/shared';
import type { AuthenticatedCaller, Callers } from '../auth/callers.ts';
import type { Exchange } from '../http/exchange.ts';
import type { EventLog } from './event-log.ts';
import { eventRequest } from './event-request.ts';
import { EventStream } from './event-stream.ts';
import { eventStreamHeaders } from './presence-event.ts';

export interface EventServiceOptions {
  readonly callers: Callers;
  readonly log: EventLog;
  readonly clock: Clock;
}

const streamsOfCaller = 16;
const streamsInAll = 1_024;

/** `GET /events` on a host that holds its callers' connections. */
export class EventService {
  readonly #options: EventServiceOptions;
  /** Whose each stream is. */
  readonly #streams = new Map<EventStream, string>();

  constructor(options: EventServiceOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Answers the exchange from here on, until it ends. Rejects with `PullFault` where nothing was answered. */
  async open(exchange: Exchange, query: string | undefined): Promise<void> {
    const { callers, log, clock } = this.#options;
    const caller = await callers.authenticate(exchange);
    const { lastEventId, wants } = eventRequest(exchange, query);
    if (exchange.method === 'HEAD') {
      exchange.head(200, undefined, eventStreamHeaders);
      return exchange.end();
    }
    this.#checkRoom(caller);
    const stream = new EventStream(
      {
        exchange,
        log,
        clock,
        lastEventId,
        wants,
        caller: () => callers.authenticate(exchange),
        ended: () => this.#streams.delete(stream),
      },
      caller,
    );
    this.#streams.set(stream, caller.id);
    stream.start();
  }

  /** Ends all streams; their clients come back, and find whoever serves then. */
  stop(): void {
    for (const stream of [...this.#streams.keys()]) stream.stop('the relay is shutting down');
  }

  #checkRoom({ id }: AuthenticatedCaller): void {
    if (this.#streams.size >= streamsInAll) {
      const detail = `${streamsInAll} event streams are open already`;
      throw new PullFault('relay-full', 'lookup', { detail, retryAfterMs: 30_000 });
    }
    let own = 0;
    for (const owner of this.#streams.values()) if (owner === id) own += 1;
    if (own >= streamsOfCaller) {
      const detail = `${own} event streams of this caller are open already`;
      throw new PullFault('caller-busy', 'lookup', { detail, retryAfterMs: 5_000 });
    }
  }
}
