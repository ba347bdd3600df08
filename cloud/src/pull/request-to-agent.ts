import { Allowance, type HeaderList, type Pull, PullFault } from '@pullwire/shared';
import type { Connection } from '../connection/connection.ts';
import type { Exchange, RequestBodySink } from '../http/exchange.ts';

/** Where a request's body comes from. */
export type IncomingBody = Pick<Exchange, 'body' | 'expectsContinue' | 'proceed'>;

export interface RequestBodyLimit {
  readonly bytes: number;
  /** For people: what to do about a larger one. */
  readonly advice: string;
}

/** The link that a request goes down. */
export interface RequestDestination {
  readonly connection: Connection;
  readonly pull: Pull;
  /** The pull's first frame can go, with the whole body where it is small. */
  ready(body: Uint8Array | undefined): void;
  failed(fault: PullFault): void;
}

/**
 * Brings a caller's request body to the agent. A small one of known length is collected and goes inside the `pull`;
 * a larger one flows under the agent's credit, so that a pull that policy refuses ships no body.
 */
export class RequestToAgent implements RequestBodySink {
  readonly #incoming: IncomingBody;
  readonly #limit: RequestBodyLimit;
  #to: RequestDestination | undefined;
  #credit = new Allowance(0);
  /** A whole body that went inside the `pull`: another try may need it. */
  #whole: Uint8Array | undefined;
  #untouched = true;
  #collected: Uint8Array[] | undefined;
  #held: Uint8Array[] = [];
  #received = 0;
  #seq = 1;
  #full = false;
  #ended = false;
  #trailers: HeaderList | undefined;
  #over = false;

  constructor(incoming: IncomingBody, limit: RequestBodyLimit) {
    this.#incoming = incoming;
    this.#limit = limit;
  }

  /** Whether no byte of the body is gone: the request can be started again, towards another agent. */
  get untouched(): boolean {
    return this.#untouched;
  }

  start(to: RequestDestination): void {
    const again = this.#to !== undefined;
    this.#to = to;
    if (again) return this.#startAgain(to);
    const { body, expectsContinue } = this.#incoming;
    if (body.length === 0) {
      this.#over = true;
      return to.ready(undefined);
    }
    if (body.length !== undefined && body.length > this.#limit.bytes) return this.#tooLarge();
    body.deliverTo(this);
    if (this.#fitsOneFrame(body.length) && !expectsContinue) {
      this.#collected = [];
      body.resume();
    } else {
      to.ready(undefined);
    }
  }

  /** The reply has begun: there will be no other try. */
  settled(): void {
    if (this.#whole === undefined) return;
    this.#whole = undefined;
    this.#untouched = false;
  }

  /** The agent takes the body up to byte `limit`. */
  raise(limit: number): void {
    if (this.#over || !this.#credit.raise(limit)) return;
    this.#incoming.proceed();
    this.#pump();
  }

  room(): void {
    this.#full = false;
    this.#pump();
  }

  /** The reply is complete or the pull has ended: what is left of the body is of no use. */
  stop(): void {
    this.#over = true;
    this.#held = [];
    this.#whole = undefined;
  }

  chunk(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#received += bytes.length;
    if (this.#received > this.#limit.bytes) return this.#tooLarge();
    if (this.#collected !== undefined) {
      this.#collected.push(bytes);
      return;
    }
    this.#held.push(bytes);
    this.#pump();
  }

  end(trailers: HeaderList): void {
    if (this.#over) return;
    if (this.#collected !== undefined) return this.#isWhole(this.#collected);
    this.#ended = true;
    if (trailers.length > 0) this.#trailers = trailers;
    this.#pump();
  }

  broken(why?: PullFault): void {
    if (this.#over) return;
    this.stop();
    this.#to?.failed(
      why ??
        new PullFault('request-body-broken', 'send', {
          detail: `the request body ended after ${this.#received} bytes`,
        }),
    );
  }

  /** Towards a link with other limits, perhaps: what fitted into one frame may have to flow now. */
  #startAgain(to: RequestDestination): void {
    this.#credit = new Allowance(0);
    this.#full = false;
    if (this.#incoming.body.length === 0) return to.ready(undefined);
    const bytes = this.#whole?.length ?? this.#incoming.body.length;
    const fits = this.#fitsOneFrame(bytes);
    if (fits && this.#whole !== undefined) return to.ready(this.#whole);
    if (fits && this.#collected !== undefined) return; // it goes when all of it is here
    if (this.#whole !== undefined) this.#collected = [this.#whole];
    this.#ended ||= this.#whole !== undefined;
    this.#held = this.#collected ?? this.#held;
    this.#whole = undefined;
    this.#collected = undefined;
    this.#over = false;
    to.ready(undefined);
    this.#pump();
  }

  #fitsOneFrame(length: number | undefined): boolean {
    const { connection, pull } = this.#destination;
    return length !== undefined && length <= connection.bodyRoom(pull);
  }

  get #destination(): RequestDestination {
    if (this.#to === undefined) throw new Error('the request has not been started');
    return this.#to;
  }

  #isWhole(pieces: readonly Uint8Array[]): void {
    this.#over = true;
    this.#collected = undefined;
    this.#whole = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
    this.#destination.ready(this.#whole);
  }

  #pump(): void {
    while (this.#held.length > 0 && !this.#full && this.#credit.available > 0 && !this.#over) {
      this.#sendPiece();
    }
    if (this.#over) return;
    if (this.#ended && this.#held.length === 0) return this.#sendEnd();
    if (this.#held.length > 0 || this.#full || this.#credit.available === 0) {
      this.#incoming.body.pause();
    } else {
      this.#incoming.body.resume();
    }
  }

  #sendPiece(): void {
    const { connection, pull } = this.#destination;
    const bytes = Math.min(this.#credit.available, connection.limits.bodyBytes);
    const first = this.#held[0] as Uint8Array;
    const body = first.length <= bytes ? first : first.subarray(0, bytes);
    if (body === first) this.#held.shift();
    else this.#held[0] = first.subarray(bytes);
    this.#credit.spend(body.length);
    this.#untouched = false;
    const end = this.#ended && this.#held.length === 0 && this.#trailers === undefined;
    const { pullId } = pull;
    const frame = { action: 'body', pullId, seq: this.#seq, end, body } as const;
    this.#seq += 1;
    this.#full = !connection.data(pullId, frame, body.length);
    if (end) this.stop();
  }

  #sendEnd(): void {
    const { connection, pull } = this.#destination;
    const { pullId } = pull;
    const trailers = this.#trailers === undefined ? undefined : { trailers: this.#trailers };
    connection.data(pullId, { action: 'end', pullId, seq: this.#seq, ...trailers }, 0);
    this.stop();
  }

  #tooLarge(): void {
    const { bytes, advice } = this.#limit;
    this.stop();
    this.#to?.failed(
      new PullFault('request-body-too-large', 'send', {
        detail: `the request body is larger than the ${bytes} bytes that this relay takes${advice}`,
      }),
    );
  }
}
