import type { Clock, Timer } from '@pullwire/shared';
import type { AuthenticatedCaller } from '../auth/callers.ts';
import type { Exchange, ExchangeListener } from '../http/exchange.ts';
import type { EventLog } from './event-log.ts';
import {
  beginText,
  eventStreamHeaders,
  eventText,
  type PresenceEvent,
  resetText,
} from './presence-event.ts';

export interface EventStreamOptions {
  readonly exchange: Exchange;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly lastEventId: string | undefined;
  /** Whether the caller wants to hear of this device. */
  wants(device: string): boolean;
  /** Who the caller is, and what it may see: asked again and again. Rejects where its key or token does not hold. */
  caller(): AuthenticatedCaller | Promise<AuthenticatedCaller>;
  /** Told once. */
  ended(): void;
}

/** A key is looked up again at this pace; it is believed for up to 10 s, and read again behind an answer after 5. */
const lookMs = 3_000;
/** Looks between two signs of life for whoever is in between. */
const looksABeat = 5;
/** Looks in which a caller takes nothing of what waits for it, after which it counts as gone. */
const patience = 10;
/** Bytes that may wait for a caller; the rest stays in the log, which is shared. */
const pendingBytes = 65_536;
const retryMs = 3_000;

const beat = Buffer.from(': still here\n\n');

/** One caller's `GET /events` on a host that holds it: reads the log at the caller's own pace. */
export class EventStream implements ExchangeListener {
  readonly #options: EventStreamOptions;
  #caller: AuthenticatedCaller;
  /** Of the next event to be looked at. */
  #next: number;
  #timer: Timer | undefined;
  #unfollow: () => void = () => undefined;
  #looks = 0;
  #stalled = 0;
  #over = false;

  constructor(options: EventStreamOptions, caller: AuthenticatedCaller) {
    this.#options = options;
    this.#caller = caller;
    this.#next = options.log.next;
  }

  start(): void {
    const { exchange, log } = this.#options;
    exchange.listen(this);
    exchange.head(200, undefined, eventStreamHeaders);
    this.#begin();
    this.#unfollow = log.follow(() => this.#pump());
    this.#wait();
    this.#pump();
  }

  /** Ends it where a client comes back by itself, after `retryMs`. */
  stop(why: string): void {
    if (this.#over) return;
    const { exchange } = this.#options;
    // Whoever takes nothing would keep its connection for ever.
    if (exchange.pendingBytes > 0) return this.#breakOff();
    exchange.end(Buffer.from(`: ${why}\n\n`));
    this.#end();
  }

  taken(): void {
    this.#stalled = 0;
    this.#pump();
  }

  left(): void {
    this.#end();
  }

  #begin(): void {
    const { log, lastEventId } = this.#options;
    const from = lastEventId === undefined ? log.next : log.after(lastEventId);
    const here = log.idOf(log.next - 1);
    if (typeof from === 'number') {
      this.#next = from;
      this.#write(beginText(log.idOf(from - 1), retryMs));
    } else {
      this.#write(beginText(here, retryMs) + resetText(here, from));
    }
  }

  /** Writes what is there, as far as the caller keeps up. */
  #pump(): void {
    const { exchange, log } = this.#options;
    while (!this.#over && exchange.pendingBytes < pendingBytes) {
      const event = log.at(this.#next);
      if (event === undefined) break;
      if (this.#mayHear(event)) this.#write(eventText(event, log.idOf(this.#next)));
      this.#next += 1;
    }
    // It was too slow for the log: when it comes back it is told to begin anew.
    if (!this.#over && log.hasDropped(this.#next)) this.#breakOff();
  }

  #mayHear({ device, labels }: PresenceEvent): boolean {
    return this.#options.wants(device) && this.#caller.grants.seesDevice(device, labels);
  }

  #wait(): void {
    this.#timer = this.#options.clock.after(lookMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    try {
      this.#caller = await this.#options.caller();
    } catch {
      return this.stop('the key does not hold any more, or cannot be looked up');
    }
    if (this.#over) return;
    this.#stalled = this.#options.exchange.pendingBytes > 0 ? this.#stalled + 1 : 0;
    if (this.#stalled >= patience) return this.#breakOff();
    this.#looks += 1;
    if (this.#looks % looksABeat === 0 && this.#stalled === 0) {
      this.#options.exchange.write(beat);
    }
    this.#wait();
  }

  #write(text: string): void {
    this.#options.exchange.write(Buffer.from(text));
  }

  #breakOff(): void {
    this.#options.exchange.breakOff();
    this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#unfollow();
    this.#options.ended();
  }
}
