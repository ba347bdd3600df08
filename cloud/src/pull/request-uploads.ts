import { type Clock, PullFault } from '@pullwire/shared';
import type { AuthenticatedCaller, Callers } from '../auth/callers.ts';
import type { Exchange, HttpAnswer } from '../http/exchange.ts';
import { jsonAnswer } from '../http/problem.ts';
import { readBody } from '../http/read-body.ts';
import type { ObjectStore } from '../object/object-store.ts';
import { ObjectStoreError } from '../object/object-store-error.ts';
import type { UploadKey } from '../object/upload-ticket.ts';
import { type FoundUpload, type UploadRefusal, UploadTickets } from '../object/upload-tickets.ts';
import { spent, UploadedBody } from './uploaded-body.ts';

export type UploadStore = Pick<ObjectStore, 'presignPut' | 'head' | 'claim' | 'open' | 'remove'>;

export interface RequestUploadsParts {
  readonly callers: Callers;
  readonly store: UploadStore;
  readonly key: UploadKey;
  readonly clock: Clock;
  /** 16 random bytes in base64url. */
  newId(): string;
  /** Bytes of one upload at most. */
  readonly mostBytes: number;
  /** Takes care of work that goes on beside a pull, and after it. */
  track(work: Promise<unknown>): void;
  /** For the log: a place was signed. */
  issued(upload: { readonly caller: string; readonly bytes: number }): void;
}

/** Bytes of what `POST /uploads` takes. */
const wishBytes = 1_024;

/**
 * Request bodies that go by object storage (DESIGN.md, "Decisions" 5): `POST /uploads` signs a place for one, and a pull
 * of the same caller then names it in `Pullwire-Upload`, once.
 */
export class RequestUploads {
  readonly #parts: RequestUploadsParts;
  readonly #tickets: UploadTickets;

  constructor(parts: RequestUploadsParts) {
    const { store, key, clock, newId } = parts;
    this.#parts = parts;
    this.#tickets = new UploadTickets({ store, keys: [key], clock, newId });
  }

  get mostBytes(): number {
    return this.#parts.mostBytes;
  }

  /** `POST /uploads`. Rejects with `PullFault`. */
  async issue(exchange: Exchange): Promise<HttpAnswer> {
    const { callers, mostBytes, issued } = this.#parts;
    const caller = await callers.authenticate(exchange);
    checkGrants(caller);
    const wish = readWish(await readBody(exchange, wishBytes));
    if (wish.length > mostBytes) throw tooLarge(wish.length, mostBytes);
    const { id, put, expiresAt } = this.#tickets.issue(caller.id, wish);
    issued({ caller: caller.name, bytes: wish.length });
    const { 'content-length': _ours, ...headers } = put.headers; // clients set it themselves
    return jsonAnswer(201, {
      upload: id,
      put: { url: put.url, headers },
      expiresAt: new Date(expiresAt * 1_000).toISOString(),
    });
  }

  /** The upload that a pull of this caller names as its body. Rejects with `PullFault`. */
  async find(id: string, caller: AuthenticatedCaller): Promise<UploadedBody> {
    const upload = await this.#tickets.find(id, caller.id).catch((error: unknown) => {
      throw notFound(error);
    });
    if (typeof upload === 'string') throw refused(upload);
    const { store, track } = this.#parts;
    return new UploadedBody({ upload, tickets: this.#tickets, store, track });
  }
}

/** Whoever may send no body anywhere is told the same as at the devices. Throws `PullFault`. */
function checkGrants({ grants }: AuthenticatedCaller): void {
  const verdict = grants.uploads();
  if (verdict === 'no-grant') {
    throw new PullFault('not-found', 'grant', { detail: 'your key has no grant in force' });
  }
  if (verdict === 'method-not-granted') {
    throw new PullFault('method-not-granted', 'grant', {
      detail: 'your key has no grant for a method whose requests have bodies',
    });
  }
}

/** `{"length": bytes, "sha256": "…"}`; throws `PullFault`. */
function readWish(body: Buffer): Pick<FoundUpload, 'length'> & { readonly sha256: string } {
  const { length, sha256 } = parseObject(body);
  const fits = typeof length === 'number' && Number.isInteger(length) && length >= 1;
  if (fits && typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)) {
    return { length, sha256 };
  }
  throw new PullFault('bad-request', 'lookup', {
    detail:
      'send {"length": …, "sha256": "…"}: the bytes of the body, 1 or more, and its SHA-256 in lower-case hexadecimal',
  });
}

function parseObject(body: Buffer): { readonly length?: unknown; readonly sha256?: unknown } {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function tooLarge(length: number, mostBytes: number): PullFault {
  return new PullFault('request-body-too-large', 'lookup', {
    detail: `an upload has at most ${mostBytes} bytes here, not ${length}`,
  });
}

/** One answer for another caller's and for one that never was: who may not know, learns nothing. */
function refused(refusal: UploadRefusal): PullFault {
  if (refusal === 'used') return spent();
  if (refusal === 'expired') {
    const detail = 'the upload has expired: ask for a new one (POST /uploads)';
    return new PullFault('upload-spent', 'lookup', { detail });
  }
  const detail = 'Pullwire-Upload names no upload that this key asked for';
  return new PullFault('upload-unknown', 'lookup', { detail });
}

function notFound(error: unknown): unknown {
  if (!(error instanceof ObjectStoreError)) return error;
  if (error.code === 'missing') {
    const detail = 'nothing was put at the URL of this upload yet';
    return new PullFault('upload-missing', 'lookup', { detail, cause: error });
  }
  return new PullFault('storage-unavailable', 'lookup', {
    detail: `the object storage for uploads: ${error.message}`,
    retryAfterMs: 1_000,
    cause: error,
  });
}
