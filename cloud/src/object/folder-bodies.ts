import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '@pullwire/shared';
import { FolderFiles, type FreshFile, toFolderError } from './folder-files.ts';
import { checkObjectKey } from './object-refusal.ts';
import type { ByteRange, OpenObject } from './object-store.ts';

export interface FolderBodiesParts {
  /** Absolute. Nothing else lies in it, and no other process writes there. */
  readonly folder: string;
  readonly clock: Clock;
  /** At least 128 random bits in letters, digits, `-` and `_`. */
  readonly newId: () => string;
}

/**
 * Bodies as files of the one-box server's data folder. What was put or written is on the disk, whole: whoever sent it
 * forgets it then. Every method rejects with `ObjectStoreError`, and with what `content` throws.
 */
export class FolderBodies {
  readonly #files: FolderFiles;

  constructor({ folder, clock, newId }: FolderBodiesParts) {
    this.#files = new FolderFiles(folder, clock, newId);
  }

  async start(): Promise<void> {
    await translated(this.#files.start());
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    await this.write(key, [body]);
  }

  /** Writes what comes, at the pace of the disk. Leaves nothing where that breaks off. */
  async write(
    key: string,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const path = this.#path(key);
    const fresh = await translated(this.#files.write(content, { flush: true }));
    await translated(this.#keep(path, fresh));
  }

  async open(key: string, range?: ByteRange): Promise<OpenObject> {
    return translated(this.#files.read(this.#path(key), range));
  }

  async remove(key: string): Promise<void> {
    await translated(this.#files.drop(this.#path(key)));
  }

  async #keep(path: string, fresh: FreshFile): Promise<void> {
    await this.#files.keep(fresh, path, { replace: true });
    const folder = await open(dirname(path)); // the name, too
    await folder.sync().finally(() => folder.close());
  }

  #path(key: string): string {
    checkObjectKey(key);
    return join(this.#files.objects, key);
  }
}

/** What the file system says becomes the storage's error; other errors, as those of a content that breaks off, stay. */
async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw isOfSystem(cause) ? toFolderError(cause) : cause;
  }
}

function isOfSystem(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && 'syscall' in cause;
}
