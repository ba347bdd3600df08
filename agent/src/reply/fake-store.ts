import type { Put } from '@pullwire/shared';
import type { PartStore } from './part-store.ts';
import type { ReplyPart } from './reply-part.ts';

interface Storing {
  readonly put: Put;
  readonly body: string;
  readonly signal: AbortSignal;
  done(etag: string): void;
  fail(error: Error): void;
}

/** A storage that is the test. */
export class FakeStore implements PartStore {
  readonly #stored: Storing[] = [];
  readonly #waiting: ((storing: Storing) => void)[] = [];
  calls = 0;

  store(put: Put, part: ReplyPart, signal: AbortSignal): Promise<string> {
    this.calls += 1;
    const body = Buffer.concat(part.pieces).toString();
    return new Promise((done, fail) => {
      const storing = { put, body, signal, done, fail };
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#stored.push(storing);
      else waiting(storing);
    });
  }

  /** The next part that comes. */
  next(): Promise<Storing> {
    const storing = this.#stored.shift();
    if (storing !== undefined) return Promise.resolve(storing);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
