import type { HeaderList, PullFault } from '@pullwire/shared';
import type { ReplyWriter } from '../../src/source/source.ts';

/** A reply writer that keeps everything, says whether there is room, and notes what a source must not do. */
export class RecordingReply implements ReplyWriter {
  status: number | undefined;
  reason: string | undefined;
  headers: HeaderList = [];
  trailers: HeaderList | undefined;
  fault: PullFault | undefined;
  readonly chunks: Uint8Array[] = [];
  bytes = 0;
  /** What `body` answers. */
  hasRoom = true;
  /** Bodies too large to keep. */
  keepsChunks = true;
  /** Calls out of order: always empty. */
  readonly violations: string[] = [];
  #isOver = false;
  readonly #waiting: { until: () => boolean; run: () => void }[] = [];

  head(status: number, reason: string | undefined, headers: HeaderList): void {
    this.#check('head', this.status === undefined);
    this.status = status;
    this.reason = reason;
    this.headers = headers;
    this.#notify();
  }

  body(chunk: Uint8Array): boolean {
    this.#check('body', this.status !== undefined);
    if (this.keepsChunks) this.chunks.push(chunk);
    this.bytes += chunk.length;
    this.#notify();
    return this.hasRoom;
  }

  end(trailers?: HeaderList): void {
    this.#check('end', this.status !== undefined);
    this.trailers = trailers;
    this.#isOver = true;
    this.#notify();
  }

  fail(fault: PullFault): void {
    this.#check('fail', true);
    this.fault = fault;
    this.#isOver = true;
    this.#notify();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  /** All values of a header, in order. */
  values(lowerName: string): string[] {
    return this.headers.filter((_, i) => this.headers[i - 1]?.toLowerCase() === lowerName && i % 2);
  }

  until(condition: (reply: this) => boolean): Promise<void> {
    if (condition(this)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ until: () => condition(this), run: resolve });
    });
  }

  async over(): Promise<this> {
    await this.until((reply) => reply.isOver);
    return this;
  }

  #check(call: string, isInOrder: boolean): void {
    if (this.#isOver || !isInOrder) this.violations.push(call);
  }

  #notify(): void {
    const ready = this.#waiting.filter(({ until }) => until());
    for (const waiting of ready) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.run();
    }
  }
}
