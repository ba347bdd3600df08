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

export interface RequestToAgentHooks {
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
  readonly #connection: Connection;
  readonly #pull: Pull;
  readonly #limit: RequestBodyLimit;
  readonly #hooks: RequestToAgentHooks;
  readonly #credit = new Allowance(0);
  #collected: Uint8Array[] | undefined;
  #held: Uint8Array[] = [];
  #received = 0;
  #seq = 1;
  #full = false;
  #ended = false;
  #trailers: HeaderList | undefined;
  #over = false;

  constructor(
    incoming: IncomingBody,
    connection: Connection,
    pull: Pull,
    limit: RequestBodyLimit,
    hooks: RequestToAgentHooks,
  ) {
    this.#incoming = incoming;
    this.#connection = connection;
    this.#pull = pull;
    this.#limit = limit;
    this.#hooks = hooks;
  }

  start(): void {
    const { body, expectsContinue } = this.#incoming;
    if (body.length === 0) {
      this.#over = true;
      return this.#hooks.ready(undefined);
    }
    if (body.length !== undefined && body.length > this.#limit.bytes) return this.#tooLarge();
    body.deliverTo(this);
    if (this.#fitsOneFrame(body.length) && !expectsContinue) {
      this.#collected = [];
      body.resume();
    } else {
      this.#hooks.ready(undefined);
    }
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
    if (this.#collected !== undefined) return this.#whole(this.#collected);
    this.#ended = true;
    if (trailers.length > 0) this.#trailers = trailers;
    this.#pump();
  }

  broken(why?: PullFault): void {
    if (this.#over) return;
    this.stop();
    this.#hooks.failed(
      why ??
        new PullFault('request-body-broken', 'send', {
          detail: `the request body ended after ${this.#received} bytes`,
        }),
    );
  }

  #fitsOneFrame(length: number | undefined): boolean {
    return length !== undefined && length <= this.#connection.bodyRoom(this.#pull);
  }

  #whole(pieces: readonly Uint8Array[]): void {
    this.#over = true;
    this.#collected = undefined;
    this.#hooks.ready(pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces));
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
    const bytes = Math.min(this.#credit.available, this.#connection.limits.bodyBytes);
    const first = this.#held[0] as Uint8Array;
    const body = first.length <= bytes ? first : first.subarray(0, bytes);
    if (body === first) this.#held.shift();
    else this.#held[0] = first.subarray(bytes);
    this.#credit.spend(body.length);
    const end = this.#ended && this.#held.length === 0 && this.#trailers === undefined;
    const { pullId } = this.#pull;
    const frame = { action: 'body', pullId, seq: this.#seq, end, body } as const;
    this.#seq += 1;
    this.#full = !this.#connection.data(pullId, frame, body.length);
    if (end) this.stop();
  }

  #sendEnd(): void {
    const { pullId } = this.#pull;
    const trailers = this.#trailers === undefined ? undefined : { trailers: this.#trailers };
    this.#connection.data(pullId, { action: 'end', pullId, seq: this.#seq, ...trailers }, 0);
    this.stop();
  }

  #tooLarge(): void {
    const { bytes, advice } = this.#limit;
    this.stop();
    this.#hooks.failed(
      new PullFault('request-body-too-large', 'send', {
        detail: `the request body is larger than the ${bytes} bytes that this relay takes${advice}`,
      }),
    );
  }
}
