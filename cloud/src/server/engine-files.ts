import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/** LevelDB's file that says which of the others count; without it an empty database would be made. */
const currentFile = 'CURRENT';

/**
 * Tells whether the database's folder is still the one that was opened. LevelDB does not notice: it goes on with files that
 * have no name any more, and what it writes there is lost.
 */
export class EngineFiles {
  readonly #path: string;
  #identity: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Remembers the folder as it is now, just opened. Rejects where it is not there. */
  async remember(): Promise<void> {
    this.#identity = await this.#read();
  }

  async areThere(): Promise<boolean> {
    return (await this.#read().catch(() => undefined)) === this.#identity;
  }

  async #read(): Promise<string> {
    const { dev, ino } = await stat(this.#path);
    await stat(join(this.#path, currentFile));
    return `${dev}:${ino}`;
  }
}
