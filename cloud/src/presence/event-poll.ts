import { type Clock, PullFault } from '@pullwire/shared';
import type { AuthenticatedCaller, Callers } from '../auth/callers.ts';
import type { Exchange } from '../http/exchange.ts';
import type { DeviceStore } from './device-service.ts';
import { cursorText, type EventCursor, readCursor } from './event-cursor.ts';
import { type EventLook, lookForEvents } from './event-look.ts';
import { type EventRequest, eventRequest } from './event-request.ts';
import { beginText, eventStreamHeaders, eventText, resetText } from './presence-event.ts';

export interface EventPollOptions {
  readonly callers: Callers;
  readonly store: Pick<DeviceStore, 'device' | 'devices' | 'proofOf'>;
  readonly clock: Clock;
}

/** Milliseconds that an answer waits for something new: a REST API ends a request after 29 s. */
const waitMs = 25_000;
/** Between two looks at up to 100 devices; for more as many times as long, so that reading costs the same. */
const lookMs = 5_000;
const devicesALook = 100;
const retryMs = 1_000;
const longestRetryMs = 30_000;

/**
 * `GET /events` on a host that holds nothing between two requests: it answers what is new since the id that its client
 * brings, or waits for it for a while, and ends; clients of event streams come back by themselves, with the next id.
 */
export class EventPoll {
  readonly #options: EventPollOptions;

  constructor(options: EventPollOptions) {
    this.#options = options;
  }

  /** Answers the exchange, at its end too. Rejects with `PullFault` where nothing was answered. */
  async open(exchange: Exchange, query: string | undefined): Promise<void> {
    const { callers, clock } = this.#options;
    const caller = await callers.authenticate(exchange);
    const request = eventRequest(exchange, query);
    if (exchange.method === 'HEAD') {
      exchange.head(200, undefined, eventStreamHeaders);
      return exchange.end();
    }
    const { lastEventId } = request;
    const begun = lastEventId === undefined ? undefined : readCursor(lastEventId, clock.wall());
    const from = typeof begun === 'object' ? begun : undefined;
    const look = await this.#look(caller, request, from);
    exchange.head(200, undefined, eventStreamHeaders);
    const { cursor } = look;
    exchange.write(text(beginText(cursorText(from ?? cursor), retryOf(look))));
    if (typeof begun === 'string') exchange.write(text(resetText(cursorText(cursor), begun)));
    else if (!this.#tell(exchange, look)) await this.#wait(exchange, request, look);
    exchange.end();
  }

  /** Until there is something to tell, or the time is over. */
  async #wait(exchange: Exchange, request: EventRequest, first: EventLook): Promise<void> {
    const { callers, clock } = this.#options;
    const until = clock.monotonic() + waitMs;
    let look = first;
    for (;;) {
      const ms = Math.min(intervalOf(look), until - clock.monotonic());
      if (ms <= 0) return;
      await passed(clock, ms);
      try {
        look = await this.#look(await callers.authenticate(exchange), request, look.cursor);
      } catch (error) {
        if (!(error instanceof PullFault)) {
          exchange.breakOff(); // a mistake of ours is for the log
          throw error;
        }
        // The client hears why when it comes back.
        return void exchange.write(text(`: ${error.message}\n\n`));
      }
      if (this.#tell(exchange, look)) return;
      exchange.write(text(beginText(cursorText(look.cursor), retryOf(look))));
    }
  }

  #look(
    { grants }: AuthenticatedCaller,
    { wants, ids }: EventRequest,
    from: EventCursor | undefined,
  ): Promise<EventLook> {
    const { store, clock } = this.#options;
    return lookForEvents(store, { grants, wants, ids, from }, clock.wall());
  }

  /** Whether there was anything. */
  #tell(exchange: Exchange, { events, cursor, incomplete }: EventLook): boolean {
    for (const { event, cursor: here } of events) {
      exchange.write(text(eventText(event, cursorText(here))));
    }
    const id = cursorText(cursor);
    if (incomplete) exchange.write(text(resetText(id, 'too-many')));
    else if (events.length > 0) exchange.write(text(`id: ${id}\n\n`));
    return incomplete || events.length > 0;
  }
}

function intervalOf({ devices }: EventLook): number {
  return Math.max(1, Math.ceil(devices / devicesALook)) * lookMs;
}

/** A client of a large fleet comes back after as long as a look at it is worth, within bounds. */
function retryOf(look: EventLook): number {
  return Math.max(retryMs, Math.min(intervalOf(look) - waitMs, longestRetryMs));
}

function passed(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

function text(lines: string): Uint8Array {
  return Buffer.from(lines);
}
