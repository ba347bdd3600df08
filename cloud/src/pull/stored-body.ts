import { PullFault } from '@pullwire/shared';
import type { RequestBodySink, RequestBodySource } from '../http/exchange.ts';
import { ObjectStoreError } from '../object/object-store-error.ts';
import type { IncomingBody } from './request-to-agent.ts';

export interface StoredBodyParts {
  /** Bytes. */
  readonly length: number;
  /** Called once, when the first bytes are wanted; its content must be iterated, and sets the pace. */
  open(): Promise<AsyncIterable<Uint8Array>>;
  /** Whatever became of what was opened. */
  closed?(): Promise<unknown>;
  /** Takes care of work that goes on beside the pull, and after it. */
  track(work: Promise<unknown>): void;
}

/** A request's body that was stored before: it is opened when its first bytes are wanted. */
export class StoredBody implements RequestBodySource {
  readonly length: number;
  readonly #parts: StoredBodyParts;
  #sink: RequestBodySink | undefined;
  #wanted = false;
  #begun = false;
  #over = false;
  #resumed: (() => void) | undefined;

  constructor(parts: StoredBodyParts) {
    this.#parts = parts;
    this.length = parts.length;
  }

  /** Like a caller that waits for 100: none of it is sent before the device wants it. */
  get incoming(): IncomingBody {
    return { body: this, expectsContinue: true, proceed: () => undefined };
  }

  deliverTo(sink: RequestBodySink): void {
    this.#sink = sink;
  }

  resume(): void {
    if (this.#over) return;
    this.#wanted = true;
    this.#resumed?.();
    if (this.#begun) return;
    this.#begun = true;
    this.#parts.track(this.#run());
  }

  pause(): void {
    this.#wanted = false;
  }

  /** The pull has ended: no more of the body is wanted. */
  stop(): void {
    this.#over = true;
    this.#resumed?.();
  }

  async #run(): Promise<void> {
    let body: AsyncIterable<Uint8Array>;
    try {
      body = await this.#parts.open();
    } catch (error) {
      return this.#fail(error);
    }
    await this.#deliver(body).catch((error: unknown) => this.#fail(error));
    await this.#parts.closed?.();
  }

  async #deliver(body: AsyncIterable<Uint8Array>): Promise<void> {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (!this.#over) this.#sink?.chunk(chunk);
      if (!this.#wanted) await this.#wait();
      if (this.#over || bytes > this.length) break;
    }
    if (this.#over) return;
    if (bytes !== this.length) throw unreadable(`it does not have ${this.length} bytes`);
    this.#sink?.end([]);
  }

  #wait(): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resumed = resolve;
    });
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#sink?.broken(asUnreadable(error));
  }
}

/** What went wrong with a body that was stored before. */
export function asUnreadable(error: unknown): PullFault {
  return error instanceof PullFault ? error : unreadable(reasonOf(error), error);
}

function unreadable(reason: string, cause?: unknown): PullFault {
  const detail = `the uploaded body could not be read: ${reason}`;
  return new PullFault('upload-broken', 'send', { detail, cause });
}

function reasonOf(error: unknown): string {
  return error instanceof ObjectStoreError ? error.message : 'the relay failed; its log says why';
}
