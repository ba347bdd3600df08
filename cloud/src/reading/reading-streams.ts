import { type Clock, PullFault } from '@pullwire/shared';
import type { AuthenticatedCaller } from '../auth/callers.ts';
import type { Exchange } from '../http/exchange.ts';
import { PacedBody } from '../http/paced-body.ts';
import type { StoredReading } from './reading.ts';
import { readingText } from './reading-text.ts';
import type { ReadingsAnswer } from './readings-answer.ts';

/** Each holds a page in memory, for as long as its caller takes for it. */
const streamsOfCaller = 16;
const streamsInAll = 128;
/** For how long a caller may take nothing (milliseconds). */
const patienceMs = 60_000;

/** The answers with readings that are going out. */
export class ReadingStreams {
  readonly #clock: Clock;
  /** Whose each is. */
  readonly #open = new Map<Exchange, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Rejects with `PullFault` where there are too many, with `CallerGone`, or with what `open` rejects with. */
  async send(
    exchange: Exchange,
    { id }: AuthenticatedCaller,
    answer: ReadingsAnswer,
    open: (reading: StoredReading) => Promise<AsyncIterable<Uint8Array> | undefined>,
  ): Promise<void> {
    this.#checkRoom(id);
    this.#open.set(exchange, id);
    try {
      exchange.head(200, undefined, answer.headers);
      const body = new PacedBody(exchange, this.#clock, patienceMs);
      await body.write(answer.begin);
      for (const [at, reading] of answer.items.entries()) {
        if (at > 0) await body.write(answer.between);
        for await (const text of readingText(reading, () => open(reading))) await body.write(text);
      }
      await body.write(answer.end);
      body.end();
    } finally {
      this.#open.delete(exchange);
    }
  }

  #checkRoom(id: string): void {
    if (this.#open.size >= streamsInAll) {
      const detail = `${streamsInAll} answers with readings are on their way already`;
      throw new PullFault('relay-full', 'lookup', { detail, retryAfterMs: 5_000 });
    }
    let own = 0;
    for (const owner of this.#open.values()) if (owner === id) own += 1;
    if (own >= streamsOfCaller) {
      const detail = `${own} answers with readings are on their way to this caller already`;
      throw new PullFault('caller-busy', 'lookup', { detail, retryAfterMs: 1_000 });
    }
  }
}
