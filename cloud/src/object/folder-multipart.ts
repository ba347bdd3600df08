import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FolderFiles, FreshFile } from './folder-files.ts';
import { type StoredPart, smallestPartBytes, type UnfinishedUpload } from './object-store.ts';
import { ObjectStoreError } from './object-store-error.ts';

/** The file of an upload that holds its key; its parts are files beside it, named by their numbers. */
const keyFile = 'key';

/** Uploads of several parts: a folder each, until they are joined. */
export class FolderMultipart {
  readonly #files: FolderFiles;

  constructor(files: FolderFiles) {
    this.#files = files;
  }

  async begin(key: string): Promise<string> {
    const uploadId = this.#files.newId();
    await mkdir(this.#folder(uploadId), { mode: 0o700 });
    const fresh = await this.#files.write([Buffer.from(key)]);
    await this.#files.keep(fresh, join(this.#folder(uploadId), keyFile), { replace: false });
    return uploadId;
  }

  /** Rejects with `missing` where the upload is not there, or is another object's. */
  async check(key: string, uploadId: string): Promise<void> {
    const found = await readFile(join(this.#folder(uploadId), keyFile), 'utf8');
    if (found !== key) throw new ObjectStoreError('missing', 'there is no such upload');
  }

  async keepPart(uploadId: string, part: number, fresh: FreshFile): Promise<void> {
    await this.#files.keep(fresh, this.#part(uploadId, part), { replace: true });
  }

  /** Writes the parts one behind the other. `refused` where one is missing, is not what was named, or is too small. */
  async join(uploadId: string, parts: readonly StoredPart[]): Promise<FreshFile> {
    const ordered = parts.toSorted((a, b) => a.part - b.part);
    for (const [index, { part, etag, sha256 }] of ordered.entries()) {
      const found = await stat(this.#part(uploadId, part)).catch(() => undefined);
      const small = index < ordered.length - 1 && (found?.size ?? 0) < smallestPartBytes;
      if (found === undefined || small || etag !== etagOf(sha256)) {
        throw new ObjectStoreError('refused', `part ${part} is missing, too small or another one`);
      }
    }
    return this.#files.write(this.#read(uploadId, ordered));
  }

  async drop(uploadId: string): Promise<void> {
    await this.#files.drop(this.#folder(uploadId));
  }

  async *before(prefix: string, time: number): AsyncGenerator<UnfinishedUpload> {
    for await (const { name, writtenAt } of this.#files.list(this.#files.uploads)) {
      const [uploadId = '', file] = name.split('/');
      if (file !== keyFile || writtenAt >= time) continue;
      const key = await readFile(join(this.#folder(uploadId), keyFile), 'utf8');
      if (key.startsWith(prefix)) yield { key, uploadId };
    }
  }

  async *#read(uploadId: string, parts: readonly StoredPart[]): AsyncGenerator<Uint8Array> {
    for (const { part } of parts) yield* createReadStream(this.#part(uploadId, part));
  }

  #folder(uploadId: string): string {
    return join(this.#files.uploads, uploadId);
  }

  #part(uploadId: string, part: number): string {
    return join(this.#folder(uploadId), String(part));
  }
}

/** Of an object or part, by its content: hexadecimal SHA-256 in quotes (RFC 9110 §8.8.3). */
export function etagOf(sha256: string): string {
  return `"${sha256}"`;
}
