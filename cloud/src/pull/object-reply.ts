import { type Complete, type HeaderList, PullFault, type Put, type Upload } from '@pullwire/shared';
import { objectPrefixes } from '../object/object-prefix.ts';
import type { ObjectStore, OpenObject, SignedPut } from '../object/object-store.ts';
import { ObjectStoreError } from '../object/object-store-error.ts';

export type ReplyStore = Pick<
  ObjectStore,
  | 'presignPut'
  | 'beginMultipart'
  | 'presignPart'
  | 'completeMultipart'
  | 'abortMultipart'
  | 'open'
  | 'presignGet'
  | 'remove'
>;

/** How long a URL for one part is good: an agent on a thin line takes its time, an abandoned one does not matter. */
export const putSeconds = 900;
const getSeconds = 900;

/** A part that the agent has announced: the bytes that may be put. */
export interface AnnouncedPart {
  readonly part: number;
  readonly length: number;
  readonly sha256: string;
}

/** What is known of such a reply already, where others took its messages before. */
export interface KnownObject {
  readonly key?: string;
  readonly parts?: readonly AnnouncedPart[];
  /** Of an upload of several parts, where it has begun. */
  readonly uploadId?: string | undefined;
}

/**
 * A reply's body that goes through object storage (PROTOCOL.md, "Features", `upload`): signs a place for each part, and
 * knows the object once it is whole. Messages may come twice. Every method rejects with `PullFault`.
 */
export class ObjectReply {
  readonly #store: ReplyStore;
  readonly #pullId: string;
  readonly #key: string;
  readonly #parts = new Map<number, AnnouncedPart>();
  #multipart: Promise<string> | undefined;
  #whole = false;

  constructor(store: ReplyStore, pullId: string, known: KnownObject = {}) {
    const { key = `${objectPrefixes.replies}${pullId}`, parts = [], uploadId } = known;
    this.#store = store;
    this.#pullId = pullId;
    this.#key = key;
    for (const part of parts) this.#parts.set(part.part, part);
    if (uploadId !== undefined) this.#multipart = Promise.resolve(uploadId);
  }

  async upload(message: Upload): Promise<Put> {
    const { part, length, sha256, more } = message;
    const content = { length, sha256, expiresSeconds: putSeconds };
    const single = part === 1 && !more;
    return stored(async () => {
      const signed = single
        ? this.#store.presignPut(this.#key, content)
        : this.#store.presignPart(this.#key, await this.#uploadId(), part, content);
      this.#parts.set(part, { part, length, sha256 });
      return {
        action: 'put',
        pullId: this.#pullId,
        part,
        url: signed.url,
        headers: headerList(signed),
      };
    });
  }

  /** Joins the parts, and checks that they are the ones that were announced. */
  async complete({ parts, length }: Pick<Complete, 'parts' | 'length'>): Promise<void> {
    const announced = [...this.#parts.values()].reduce((sum, part) => sum + part.length, 0);
    if (parts.length !== this.#parts.size || length !== announced) {
      throw broken(
        `${announced} bytes in ${this.#parts.size} parts were announced, ${length} in ${parts.length} came`,
      );
    }
    if (this.#multipart !== undefined) {
      const list = parts.map(({ part, etag }) => {
        const known = this.#parts.get(part);
        if (known === undefined) throw broken(`part ${part} was not announced`);
        return { part, etag, sha256: known.sha256 };
      });
      const uploadId = await this.#uploadId();
      await stored(() => this.#store.completeMultipart(this.#key, uploadId, list));
    }
    this.#whole = true;
  }

  /** The whole object, to be read once. */
  async open(length: number): Promise<OpenObject> {
    const open = await stored(() => this.#store.open(this.#key));
    if (open.length !== length) throw broken(`the object has ${open.length} bytes, not ${length}`);
    return open;
  }

  /** Where anybody who has the URL can read the object for a quarter of an hour. */
  url(contentType: string | undefined): string {
    const headers = contentType === undefined ? {} : { 'content-type': contentType };
    return this.#store.presignGet(this.#key, { expiresSeconds: getSeconds, headers });
  }

  /** Removes what is there, whole or in parts; whatever stays is swept later. */
  async remove(): Promise<void> {
    try {
      if (this.#multipart !== undefined && !this.#whole) {
        await this.#store.abortMultipart(this.#key, await this.#multipart);
      }
      await this.#store.remove(this.#key);
    } catch {
      // The sweep and the bucket's lifecycle are behind this.
    }
  }

  #uploadId(): Promise<string> {
    this.#multipart ??= this.#store.beginMultipart(this.#key);
    return this.#multipart;
  }
}

function headerList({ headers }: SignedPut): HeaderList {
  // `Content-Length` is the agent's own: it is signed, and no other would be taken.
  return Object.entries(headers)
    .filter(([name]) => name !== 'content-length')
    .flat();
}

function broken(detail: string): PullFault {
  return new PullFault('protocol-error', 'stream', { detail });
}

/** What the storage says becomes the pull's fault. */
export async function stored<T>(ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (!(cause instanceof ObjectStoreError)) throw cause;
    throw new PullFault('reply-not-stored', 'stream', {
      detail: `the object storage for large replies: ${cause.message}`,
      retryAfterMs: 1_000,
      cause,
    });
  }
}
