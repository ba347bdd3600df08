import { Readable } from 'node:stream';
import {
  earlyFrameLimit,
  Reorder,
  type RequestBody,
  type RequestEnd,
  Window,
} from '@pullwire/shared';

/** Bytes of request body that may be on their way to a source at once. */
const windowBytes = 256 * 1024;

/** The request body of one pull as a stream: reading it opens credit, so that nothing comes before the source asks. */
export class RequestBodyStream extends Readable {
  readonly #order = new Reorder<RequestBody | RequestEnd>({
    frames: earlyFrameLimit,
    bytes: windowBytes,
    next: 1,
  });
  readonly #window = new Window(windowBytes);
  readonly #grant: (limit: number) => void;
  readonly #limitBytes: number;
  readonly #tooLarge: () => Error;
  #received = 0;
  #opened = false;

  /**
   * `grant` tells the relay how far it may send. More than `limitBytes` destroys the stream with `tooLarge()`.
   */
  constructor(grant: (limit: number) => void, limitBytes: number, tooLarge: () => Error) {
    super({ highWaterMark: 64 * 1024 });
    this.#grant = grant;
    this.#limitBytes = limitBytes;
    this.#tooLarge = tooLarge;
  }

  /** Throws `WireError` where the relay sent more than it had credit for. */
  receive(frame: RequestBody | RequestEnd): void {
    if (this.destroyed) return;
    const bytes = frame.action === 'body' ? frame.body.length : 0;
    this.#order.accept(frame, bytes, this.#deliver);
  }

  readonly #deliver = (frame: RequestBody | RequestEnd): void => {
    if (this.destroyed || this.readableEnded) return;
    if (frame.action === 'body' && frame.body.length > 0) this.#take(frame.body);
    if (!this.destroyed && (frame.action === 'end' || frame.end)) this.push(null);
  };

  #take(body: Uint8Array): void {
    this.#window.received(body.length);
    this.#received += body.length;
    if (this.#received > this.#limitBytes) this.destroy(this.#tooLarge());
    else this.push(body);
  }

  override _read(): void {
    if (!this.#opened) {
      this.#opened = true;
      this.#grant(windowBytes);
      return;
    }
    const limit = this.#window.taken(this.#received - this.readableLength);
    if (limit !== undefined) this.#grant(limit);
  }
}
