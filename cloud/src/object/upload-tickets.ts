import type { Clock } from '@pullwire/shared';
import { objectPrefixes } from './object-prefix.ts';
import type { ObjectStore, SignedContent, SignedPut } from './object-store.ts';
import { mintTicket, type TicketRefusal, type UploadKey, verifyTicket } from './upload-ticket.ts';

/** How long the bytes may be put, and a pull may name them. */
const ticketSeconds = 15 * 60;

export interface UploadTicketsParts {
  readonly store: ObjectStore;
  /** The first signs; all of them verify. */
  readonly keys: readonly [UploadKey, ...UploadKey[]];
  readonly clock: Clock;
  /** 16 random bytes in base64url. */
  readonly newId: () => string;
}

/** What a caller gets: where to put its body, and the id by which one pull of the same caller then names it. */
export interface IssuedUpload {
  readonly id: string;
  readonly put: SignedPut;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** A body that a pull may take, once. */
export interface ClaimedUpload {
  /** For `ObjectStore.open`; whoever has read it removes it. */
  readonly key: string;
  /** Bytes that were announced. */
  readonly length: number;
}

/** `used`: another pull has named it before. */
export type UploadRefusal = TicketRefusal | 'used';

/** Request bodies that are too large for a host to take: put into the object storage first, then named in a pull. */
export class UploadTickets {
  readonly #parts: UploadTicketsParts;

  constructor(parts: UploadTicketsParts) {
    this.#parts = parts;
  }

  /**
   * `caller`: the id of the caller, who becomes the owner.
   *
   * @throws ObjectStoreError `refused` where length or hash is none that the storage takes.
   */
  issue(caller: string, content: Pick<SignedContent, 'length' | 'sha256'>): IssuedUpload {
    const { store, keys, newId } = this.#parts;
    const object = newId();
    const key = objectPrefixes.uploads + object;
    const { length, sha256 } = content;
    const put = store.presignPut(key, {
      length,
      sha256,
      expiresSeconds: ticketSeconds,
    });
    const expiresAt = this.#nowSeconds() + ticketSeconds;
    return { id: mintTicket(keys[0], caller, { object, length, expiresAt }), put, expiresAt };
  }

  /**
   * Takes the upload for one pull of this caller. The mark that this leaves is an object as well, and is swept with the
   * others; by then the ticket has expired.
   *
   * Rejects with `ObjectStoreError`; `missing`: nothing was put yet, and the upload may still be claimed.
   */
  async claim(id: string, caller: string): Promise<ClaimedUpload | UploadRefusal> {
    const { store, keys } = this.#parts;
    const ticket = verifyTicket(keys, id, caller, this.#nowSeconds());
    if (typeof ticket === 'string') return ticket;
    const key = objectPrefixes.uploads + ticket.object;
    const mark = `${key}.used`;
    await store.head(key).catch((error: unknown) => this.#usedOrThrow(mark, error));
    return (await store.claim(mark)) ? { key, length: ticket.length } : 'used';
  }

  /** A body that is gone was perhaps used: then the mark says so, and the claim that follows fails. */
  async #usedOrThrow(mark: string, error: unknown): Promise<void> {
    const marked = await this.#parts.store.head(mark).then(
      () => true,
      () => false,
    );
    if (!marked) throw error;
  }

  #nowSeconds(): number {
    return Math.floor(this.#parts.clock.wall() / 1_000);
  }
}
