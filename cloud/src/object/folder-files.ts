import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, renameSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '@pullwire/shared';
import type { ByteRange, OpenObject } from './object-store.ts';
import { ObjectStoreError } from './object-store-error.ts';

/** A file that was written whole, but has no name yet that anybody reads. */
export interface FreshFile {
  readonly path: string;
  readonly length: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** The files of a `FolderObjectStore`. A name is there only when its file is whole. */
export class FolderFiles {
  readonly #root: string;
  readonly #clock: Clock;
  readonly #newId: () => string;

  /** `newId`: text of letters, digits, `-` and `_` that never comes again. */
  constructor(root: string, clock: Clock, newId: () => string) {
    this.#root = resolve(root);
    this.#clock = clock;
    this.#newId = newId;
  }

  /** Makes the folder, for its owner only, and drops what an earlier process left half written. */
  async start(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true });
    for (const path of [this.#root, this.objects, this.uploads, this.#temporary]) {
      await mkdir(path, { recursive: true, mode: 0o700 });
    }
  }

  get objects(): string {
    return join(this.#root, 'objects');
  }

  get uploads(): string {
    return join(this.#root, 'uploads');
  }

  get #temporary(): string {
    return join(this.#root, 'temporary');
  }

  newId(): string {
    return this.#newId();
  }

  /** Writes what comes; `flush`: down to the disk. Leaves nothing where that breaks off. */
  async write(
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    { flush = false } = {},
  ): Promise<FreshFile> {
    const path = join(this.#temporary, this.#newId());
    const hash = createHash('sha256');
    let length = 0;
    const measured = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of content) {
        hash.update(piece);
        length += piece.length;
        yield piece;
      }
    };
    try {
      await pipeline(measured, createWriteStream(path, { mode: 0o600, flags: 'wx', flush }));
      const now = this.#clock.wall() / 1_000;
      await utimes(path, now, now);
    } catch (cause) {
      await this.drop(path);
      throw cause;
    }
    return { path, length, sha256: hash.digest('hex') };
  }

  /** Gives the file its name. False, and the file is dropped, where that is taken and `replace` is not set. */
  async keep(fresh: FreshFile, path: string, { replace }: { replace: boolean }): Promise<boolean> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (!replace && existsSync(path)) {
      await this.drop(fresh.path);
      return false;
    }
    renameSync(fresh.path, path); // in the same turn as the look: nobody else writes here
    return true;
  }

  async drop(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
  }

  open(path: string): Promise<FileHandle> {
    return open(path);
  }

  /** The file, or some bytes of it, to be read once. */
  async read(path: string, range?: ByteRange): Promise<OpenObject> {
    const file = await open(path);
    const { size } = await file.stat();
    if (range === undefined) return { length: size, body: file.createReadStream() };
    const { from, to } = range;
    return { length: to - from, body: file.createReadStream({ start: from, end: to - 1 }) };
  }

  /** All files below the folder, with their ages: paths relative to it, joined by `/`. */
  async *list(folder: string): AsyncGenerator<{ name: string; writtenAt: number }> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const found = await stat(path).catch(unlessGone);
      if (found !== undefined) {
        yield { name: path.slice(folder.length + 1), writtenAt: found.mtimeMs };
      }
    }
  }
}

/** What the file system says becomes the storage's error. */
export function toFolderError(cause: unknown): ObjectStoreError {
  if (cause instanceof ObjectStoreError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  if (code === 'ENOENT') return new ObjectStoreError('missing', 'there is no such object', cause);
  return new ObjectStoreError(
    'unavailable',
    `the folder of objects cannot be used: ${code}`,
    cause,
  );
}

function unlessGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
