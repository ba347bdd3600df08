import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '@pullwire/shared';
import { etagOf } from './folder-multipart.ts';
import type { FolderObjectStore } from './folder-object-store.ts';
import type { GetPermission, PutPermission } from './folder-signed-url.ts';
import { ObjectStoreError } from './object-store-error.ts';
import { hexToBase64 } from './s3-answer.ts';

/** Serves the signed URLs of a `FolderObjectStore`, with S3's statuses. The URL is all the permission there is. */
export class FolderObjectDoor {
  readonly #store: FolderObjectStore;
  /** Signatures that were used, with their expiry: an object that was removed does not come again. */
  readonly #spent = new Map<string, number>();
  readonly #clock: Clock;

  constructor(store: FolderObjectStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Answers one request; the last segment of its path is the permission. Never rejects.
   *
   * `proceed`: lets a caller go on that waits for 100 (Continue).
   */
  async serve(request: IncomingMessage, response: ServerResponse, proceed = () => {}) {
    try {
      await this.#serve(request, response, proceed);
    } catch (error) {
      if (response.headersSent || !request.complete) response.destroy();
      else answer(response, statusOf(error));
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, proceed: () => void) {
    const segment = (request.url ?? '').replace(/\?.*$/, '').split('/').at(-1) ?? '';
    const permission = this.#store.permissionOf(segment);
    if (permission === undefined || permission.method !== request.method) {
      return answer(response, 403);
    }
    if (permission.method === 'GET') return this.#read(permission, response);
    const status = putStatus(permission, request.headers);
    if (status !== undefined) return answer(response, status);
    if (this.#spent.has(segment) && !(await this.#isThere(permission.key))) {
      return answer(response, 403);
    }
    proceed();
    return this.#take(permission, segment, request, response);
  }

  async #take(
    permission: PutPermission,
    segment: string,
    request: IncomingMessage,
    response: ServerResponse,
  ) {
    if (!(await this.#store.accept(permission, request))) return answer(response, 400);
    if (permission.part === undefined) this.#spend(segment, permission.expires);
    answer(response, 200, { etag: etagOf(permission.sha256) });
  }

  async #read({ key, headers }: GetPermission, response: ServerResponse) {
    const { length, body } = await this.#store.open(key);
    response.writeHead(200, { ...headers, 'content-length': length });
    await pipeline(body, response);
  }

  #isThere(key: string): Promise<boolean> {
    return this.#store.head(key).then(
      () => true,
      () => false,
    );
  }

  #spend(segment: string, expires: number): void {
    const now = this.#clock.wall() / 1_000;
    for (const [other, end] of this.#spent) {
      if (end <= now) this.#spent.delete(other);
    }
    this.#spent.set(segment, expires);
  }
}

/** Undefined where the request keeps what was signed. S3 calls anything else a wrong signature, or misses the length. */
function putStatus(
  { length, sha256 }: PutPermission,
  headers: IncomingMessage['headers'],
): number | undefined {
  if (headers['content-length'] === undefined) return 411;
  const kept =
    headers['content-length'] === String(length) &&
    headers['x-amz-checksum-sha256'] === hexToBase64(sha256);
  return kept ? undefined : 403;
}

function statusOf(error: unknown): number {
  if (!(error instanceof ObjectStoreError)) return 503;
  return { missing: 404, refused: 403, unavailable: 503, failed: 500 }[error.code];
}

function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}) {
  response.writeHead(status, { ...headers, 'content-length': 0 });
  response.end();
}
