import type { Clock } from '@pullwire/shared';
import { objectPrefixes } from './object-prefix.ts';
import type { ObjectStore, SignedContent, SignedPut } from './object-store.ts';
import { mintTicket, type TicketRefusal, type UploadKey, verifyTicket } from './upload-ticket.ts';

/** How long the bytes may be put, and a pull may name them. */
const ticketSeconds = 15 * 60;

export interface UploadTicketsParts {
  readonly store: Pick<ObjectStore, 'presignPut' | 'head' | 'claim'>;
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

/** A body that lies in the storage, for one pull of its owner. */
export interface FoundUpload {
  /** For `ObjectStore.open`; whoever has taken it removes it. */
  readonly key: string;
  /** Bytes. */
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
   * The upload of this caller, and whether its bytes are there. It is not spent by that.
   *
   * Rejects with `ObjectStoreError`; `missing`: nothing was put yet.
   */
  async find(id: string, caller: string): Promise<FoundUpload | UploadRefusal> {
    const { store, keys } = this.#parts;
    const ticket = verifyTicket(keys, id, caller, this.#nowSeconds());
    if (typeof ticket === 'string') return ticket;
    const key = objectPrefixes.uploads + ticket.object;
    try {
      await store.head(key);
    } catch (error) {
      await this.#usedOrThrow(key, error);
      return 'used';
    }
    return { key, length: ticket.length };
  }

  /**
   * Takes the upload for one pull; false where another one has. The mark that this leaves is an object as well, and is
   * swept with the others; by then the ticket has expired. Rejects with `ObjectStoreError`.
   */
  take({ key }: FoundUpload): Promise<boolean> {
    return this.#parts.store.claim(markOf(key));
  }

  /** A body that is gone was perhaps used: then there is a mark. */
  async #usedOrThrow(key: string, error: unknown): Promise<void> {
    await this.#parts.store.head(markOf(key)).catch(() => {
      throw error;
    });
  }

  #nowSeconds(): number {
    return Math.floor(this.#parts.clock.wall() / 1_000);
  }
}

const markOf = (key: string): string => `${key}.used`;
