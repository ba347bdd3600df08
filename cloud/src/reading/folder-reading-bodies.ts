import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '@pullwire/shared';
import { FolderFiles, toFolderError } from '../object/folder-files.ts';
import { checkObjectKey } from '../object/object-refusal.ts';
import type { OpenObject } from '../object/object-store.ts';
import type { ReadingBodies } from './reading-bodies.ts';

export interface FolderReadingBodiesParts {
  /** Absolute. Nothing else lies in it, and no other process writes there. */
  readonly folder: string;
  readonly clock: Clock;
  /** At least 128 random bits in letters, digits, `-` and `_`. */
  readonly newId: () => string;
}

/**
 * Bodies of readings as files of the one-box server's data folder. What was put is on the disk: the agent forgets it then.
 */
export class FolderReadingBodies implements ReadingBodies {
  readonly #files: FolderFiles;

  constructor({ folder, clock, newId }: FolderReadingBodiesParts) {
    this.#files = new FolderFiles(folder, clock, newId);
  }

  async start(): Promise<void> {
    await translated(this.#files.start());
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    const path = this.#path(key);
    await translated(this.#keep(path, body));
  }

  async open(key: string): Promise<OpenObject> {
    const file = await translated(this.#files.open(this.#path(key)));
    const { size } = await translated(file.stat());
    return { length: size, body: file.createReadStream() };
  }

  async remove(key: string): Promise<void> {
    await translated(this.#files.drop(this.#path(key)));
  }

  async #keep(path: string, body: Uint8Array): Promise<void> {
    const fresh = await this.#files.write([body], { flush: true });
    await this.#files.keep(fresh, path, { replace: true });
    const folder = await open(dirname(path)); // the name, too
    await folder.sync().finally(() => folder.close());
  }

  #path(key: string): string {
    checkObjectKey(key);
    return join(this.#files.objects, key);
  }
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw toFolderError(cause);
  }
}
