import { join } from 'node:path';
import type { Clock } from '@pullwire/shared';
import { Mac } from '../reply/mac.ts';
import { FolderFiles, type FreshFile, toFolderError } from './folder-files.ts';
import { FolderMultipart } from './folder-multipart.ts';
import {
  type Permission,
  type PutPermission,
  readPermission,
  signPermission,
} from './folder-signed-url.ts';
import {
  checkContent,
  checkObjectKey,
  checkPart,
  checkParts,
  checkReading,
  checkUploadId,
} from './object-refusal.ts';
import type {
  ByteRange,
  ObjectStore,
  OpenObject,
  SignedContent,
  SignedPut,
  SignedReading,
  StoredPart,
  UnfinishedUpload,
} from './object-store.ts';
import { ObjectStoreError } from './object-store-error.ts';
import { hexToBase64 } from './s3-answer.ts';

export interface FolderObjectStoreParts {
  /** Absolute. Nothing else lies in it, and no other process writes there. */
  readonly folder: string;
  /** URL below which `FolderObjectDoor` is mounted, without a slash at its end; asked for with each URL. */
  readonly baseUrl: () => string;
  /** Signs the URLs: from 32 to 64 random bytes. */
  readonly secret: Uint8Array;
  readonly clock: Clock;
  /** At least 128 random bits in letters, digits, `-` and `_`. */
  readonly newId: () => string;
}

/** Objects as files of one folder, for one process: on one box, and in tests. */
export class FolderObjectStore implements ObjectStore {
  readonly #parts: FolderObjectStoreParts;
  readonly #files: FolderFiles;
  readonly #multipart: FolderMultipart;
  readonly #mac: Mac;

  constructor(parts: FolderObjectStoreParts) {
    this.#parts = parts;
    this.#files = new FolderFiles(parts.folder, parts.clock, parts.newId);
    this.#multipart = new FolderMultipart(this.#files);
    this.#mac = new Mac(parts.secret);
  }

  async start(): Promise<void> {
    await translate(this.#files.start());
  }

  presignPut(key: string, content: SignedContent): SignedPut {
    return this.#presign(key, content);
  }

  async beginMultipart(key: string): Promise<string> {
    checkObjectKey(key);
    return translate(this.#multipart.begin(key));
  }

  presignPart(key: string, uploadId: string, part: number, content: SignedContent): SignedPut {
    checkFolderUpload(uploadId);
    checkPart(part);
    return this.#presign(key, content, { uploadId, number: part });
  }

  async completeMultipart(
    key: string,
    uploadId: string,
    parts: readonly StoredPart[],
  ): Promise<void> {
    checkFolderUpload(uploadId);
    checkParts(parts);
    await translate(this.#multipart.check(key, uploadId));
    const whole = await translate(this.#multipart.join(uploadId, parts));
    await translate(this.#files.keep(whole, this.#path(key), { replace: true }));
    await translate(this.#multipart.drop(uploadId));
  }

  async abortMultipart(key: string, uploadId: string): Promise<void> {
    checkObjectKey(key);
    checkFolderUpload(uploadId);
    await translate(this.#multipart.drop(uploadId));
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    const path = this.#path(key);
    const fresh = await translate(this.#files.write([body]));
    await translate(this.#files.keep(fresh, path, { replace: true }));
  }

  async open(key: string, range?: ByteRange): Promise<OpenObject> {
    return translate(this.#files.read(this.#path(key), range));
  }

  async head(key: string): Promise<number> {
    const file = await translate(this.#files.open(this.#path(key)));
    const { size } = await translate(file.stat().finally(() => file.close()));
    return size;
  }

  presignGet(key: string, reading: SignedReading): string {
    checkReading(reading);
    const { expiresSeconds, headers = {} } = reading;
    checkObjectKey(key);
    const expires = this.#expiry(expiresSeconds);
    return this.#url({ method: 'GET', key, expires, headers });
  }

  async claim(key: string): Promise<boolean> {
    const path = this.#path(key);
    const empty = await translate(this.#files.write([]));
    return translate(this.#files.keep(empty, path, { replace: false }));
  }

  async remove(key: string): Promise<void> {
    await translate(this.#files.drop(this.#path(key)));
  }

  async *olderThan(prefix: string, time: number): AsyncGenerator<string> {
    for await (const { name, writtenAt } of this.#files.list(this.#files.objects)) {
      if (name.startsWith(prefix) && writtenAt < time) yield name;
    }
  }

  unfinishedBefore(prefix: string, time: number): AsyncIterable<UnfinishedUpload> {
    return this.#multipart.before(prefix, time);
  }

  /** What the segment of a signed URL permits; undefined: nothing. */
  permissionOf(segment: string): Permission | undefined {
    return readPermission(this.#mac, segment, this.#parts.clock.wall() / 1_000);
  }

  /** Takes the body of a permitted PUT; false where it is not the one that was signed. Rejects where it breaks off. */
  async accept(permission: PutPermission, body: AsyncIterable<Uint8Array>): Promise<boolean> {
    const { key, part } = permission;
    if (part !== undefined) await translate(this.#multipart.check(key, part.uploadId));
    const fresh = await this.#files.write(body);
    if (!isPermitted(fresh, permission)) {
      await this.#files.drop(fresh.path);
      return false;
    }
    if (part === undefined) await this.#files.keep(fresh, this.#path(key), { replace: true });
    else await this.#multipart.keepPart(part.uploadId, part.number, fresh);
    return true;
  }

  #presign(key: string, content: SignedContent, part?: PutPermission['part']): SignedPut {
    checkObjectKey(key);
    checkContent(content);
    const { length, sha256, expiresSeconds } = content;
    const expires = this.#expiry(expiresSeconds);
    const permission = { method: 'PUT', key, expires, length, sha256 } as const;
    return {
      url: this.#url(part === undefined ? permission : { ...permission, part }),
      headers: {
        'content-length': String(length),
        'x-amz-checksum-sha256': hexToBase64(sha256),
      },
    };
  }

  #url(permission: Permission): string {
    return `${this.#parts.baseUrl()}/${signPermission(this.#mac, permission)}`;
  }

  #expiry(seconds: number): number {
    return Math.floor(this.#parts.clock.wall() / 1_000) + seconds;
  }

  #path(key: string): string {
    checkObjectKey(key);
    return join(this.#files.objects, key);
  }
}

/** Ids are names of folders here, so no path may hide in one: it has been with an agent. */
function checkFolderUpload(uploadId: string): void {
  checkUploadId(uploadId);
  if (!/^[A-Za-z0-9_-]+$/.test(uploadId)) {
    throw new ObjectStoreError('missing', 'there is no such upload');
  }
}

function isPermitted(fresh: FreshFile, { length, sha256 }: PutPermission): boolean {
  return fresh.length === length && fresh.sha256 === sha256;
}

async function translate<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw toFolderError(cause);
  }
}
