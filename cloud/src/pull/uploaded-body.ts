import { PullFault } from '@pullwire/shared';
import type { RequestBodySink, RequestBodySource } from '../http/exchange.ts';
import type { ObjectStore } from '../object/object-store.ts';
import { ObjectStoreError } from '../object/object-store-error.ts';
import type { FoundUpload, UploadTickets } from '../object/upload-tickets.ts';
import type { IncomingBody } from './request-to-agent.ts';

export interface UploadedBodyParts {
  readonly upload: FoundUpload;
  readonly tickets: Pick<UploadTickets, 'take'>;
  readonly store: Pick<ObjectStore, 'open' | 'remove'>;
  /** Takes care of work that goes on beside the pull, and after it. */
  track(work: Promise<unknown>): void;
}

/**
 * A request's body that lies in the object storage. It is taken when its first bytes are wanted: a pull that the device
 * refuses leaves it for the next one. Once taken it is removed, whatever becomes of the pull.
 */
export class UploadedBody implements RequestBodySource {
  readonly length: number;
  readonly #parts: UploadedBodyParts;
  #sink: RequestBodySink | undefined;
  #wanted = false;
  #begun = false;
  #over = false;
  #resumed: (() => void) | undefined;

  constructor(parts: UploadedBodyParts) {
    this.#parts = parts;
    this.length = parts.upload.length;
  }

  /** Like a caller that waits for 100: none of it is sent, and the upload not spent, before the device wants it. */
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
    const { tickets, store, upload } = this.#parts;
    try {
      if (!(await tickets.take(upload))) throw spent();
    } catch (error) {
      return this.#fail(error);
    }
    await this.#deliver().catch((error: unknown) => this.#fail(error));
    await store.remove(upload.key).catch(() => undefined); // what stays is swept
  }

  async #deliver(): Promise<void> {
    const { store, upload } = this.#parts;
    const { body } = await store.open(upload.key);
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
    this.#sink?.broken(error instanceof PullFault ? error : unreadable(reasonOf(error), error));
  }
}

/** Another pull has named the upload before. */
export function spent(): PullFault {
  return new PullFault('upload-spent', 'send', {
    detail: 'another pull has named this upload before: ask for a new one (POST /uploads)',
  });
}

function unreadable(reason: string, cause?: unknown): PullFault {
  const detail = `the uploaded body could not be read: ${reason}`;
  return new PullFault('upload-broken', 'send', { detail, cause });
}

function reasonOf(error: unknown): string {
  return error instanceof ObjectStoreError ? error.message : 'the relay failed; its log says why';
}
