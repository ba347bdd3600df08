import { type Clock, PullFault, type Timer } from '@pullwire/shared';
import type { IncomingBody } from '../pull/request-to-agent.ts';
import { PieceStream } from './piece-stream.ts';

export interface ArrivingRequestOptions {
  readonly incoming: IncomingBody;
  /** A body up to this size goes into the table. */
  readonly smallBytes: number;
  /** Bytes of a body at most. */
  readonly mostBytes: number;
  readonly clock: Clock;
  /** Keeps a larger body, of at most so many bytes, as it comes; rejects where that cannot be. */
  store(bytes: number, content: PieceStream): Promise<void>;
}

/** A request's body as it was kept: in memory where it is small. */
export interface ArrivedRequest {
  readonly bytes: number;
  /** Undefined: it was stored. */
  readonly body?: Uint8Array;
}

/** Bytes that may wait for the disk. */
const windowBytes = 256 * 1024;
/** Milliseconds between two pieces of a body, and for all of it: a caller that sends a byte a minute holds nothing here. */
const [pauseMs, wholeMs] = [20_000, 600_000];

/** Takes the body of a request that is queued, at the pace of the disk. Rejects with `PullFault`, and as `store`. */
export function arrivedRequest(options: ArrivingRequestOptions): Promise<ArrivedRequest> {
  const { incoming, mostBytes } = options;
  const { body } = incoming;
  if (body.length === 0) return Promise.resolve({ bytes: 0, body: new Uint8Array(0) });
  if (body.length !== undefined && body.length > mostBytes) {
    return Promise.reject(tooLarge(mostBytes));
  }
  return new ArrivingRequest(options).read();
}

class ArrivingRequest {
  readonly #options: ArrivingRequestOptions;
  readonly #arrived = Promise.withResolvers<ArrivedRequest>();
  #timers: Timer[] = [];
  #held: Uint8Array[] = [];
  #received = 0;
  #taken = 0;
  #pieces: PieceStream | undefined;
  #stored: Promise<void> | undefined;
  #over = false;

  constructor(options: ArrivingRequestOptions) {
    this.#options = options;
  }

  read(): Promise<ArrivedRequest> {
    const { incoming, clock } = this.#options;
    const { body } = incoming;
    this.#timers = [clock.after(wholeMs, () => this.#fail(late(wholeMs)))];
    this.#waitForPiece();
    body.deliverTo({
      chunk: (bytes) => this.#chunk(bytes),
      end: () => void this.#end(),
      broken: (why) => this.#fail(why ?? broken(this.#received)),
    });
    incoming.proceed();
    body.resume();
    return this.#arrived.promise;
  }

  #chunk(bytes: Uint8Array): void {
    if (this.#over) return;
    const { mostBytes, smallBytes, incoming } = this.#options;
    this.#received += bytes.length;
    if (this.#received > mostBytes) return this.#fail(tooLarge(mostBytes));
    this.#waitForPiece();
    if (this.#pieces !== undefined) this.#pieces.add(bytes);
    else this.#held.push(bytes);
    if (this.#pieces === undefined && this.#received > smallBytes) this.#toStore();
    if (this.#pieces !== undefined && this.#received - this.#taken > windowBytes) {
      incoming.body.pause();
    }
  }

  #toStore(): void {
    const { store, incoming, mostBytes } = this.#options;
    this.#pieces = new PieceStream((total) => {
      this.#taken = total;
      if (!this.#over && this.#received - total <= windowBytes / 2) incoming.body.resume();
    });
    for (const piece of this.#held.splice(0)) this.#pieces.add(piece);
    this.#stored = store(incoming.body.length ?? mostBytes, this.#pieces);
    this.#stored.catch((error: unknown) => this.#fail(error));
  }

  async #end(): Promise<void> {
    if (this.#over) return;
    this.#cancelTimers();
    this.#pieces?.end();
    try {
      await this.#stored;
    } catch {
      return; // said already
    }
    this.#over = true;
    const bytes = this.#received;
    const body = this.#pieces === undefined ? { body: Buffer.concat(this.#held) } : undefined;
    this.#arrived.resolve({ bytes, ...body });
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTimers();
    this.#held = [];
    this.#pieces?.break(error instanceof Error ? error : new Error(String(error)));
    this.#arrived.reject(error);
  }

  #waitForPiece(): void {
    this.#timers[1]?.cancel();
    this.#timers[1] = this.#options.clock.after(pauseMs, () => this.#fail(late(pauseMs)));
  }

  #cancelTimers(): void {
    for (const timer of this.#timers) timer.cancel();
  }
}

function tooLarge(mostBytes: number): PullFault {
  return new PullFault('request-body-too-large', 'lookup', {
    detail: `the body of a queued pull has at most ${mostBytes} bytes (queue.requestBytes): send less, or pull it without respond-async`,
  });
}

function late(ms: number): PullFault {
  const detail = `no more of the request body came within ${ms / 1_000} s`;
  return new PullFault('request-timeout', 'lookup', { detail });
}

function broken(bytes: number): PullFault {
  const detail = `the request body ended after ${bytes} bytes`;
  return new PullFault('request-body-broken', 'lookup', { detail });
}
