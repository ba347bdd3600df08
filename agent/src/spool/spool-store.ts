import { existsSync, renameSync } from 'node:fs';
import { NewerSpoolError, SpoolFile } from './spool-file.ts';
import type {
  SpoolBounds,
  SpoolChange,
  SpoolCommit,
  SpoolDropped,
  SpoolMark,
  SpoolReadLimit,
  SpoolRow,
} from './spool-reading.ts';
import { type SpoolTrouble, spoolTrouble } from './spool-trouble.ts';

export interface SpoolStoreOptions {
  readonly path: string;
  readonly bounds: SpoolBounds;
  /** The file was damaged and has been moved to `movedTo`; a new one was begun. */
  damaged(trouble: SpoolTrouble, movedTo: string): void;
}

/** What cannot be done now, and may be later. */
export class SpoolError extends Error {
  override readonly name = 'SpoolError';
  readonly trouble: SpoolTrouble;

  constructor(trouble: SpoolTrouble, cause: unknown) {
    super(trouble.text, { cause });
    this.trouble = trouble;
  }
}

/** The spool's file with what is done about a full disk and about damage. Methods throw `SpoolError`. */
export class SpoolStore {
  readonly #options: SpoolStoreOptions;
  #file: SpoolFile | undefined;

  constructor(options: SpoolStoreOptions) {
    this.#options = options;
  }

  /** `now`: epoch milliseconds, for the name of a file that is moved aside. */
  open(now: number): void {
    this.#recovering(now, () => this.#opened());
  }

  /** Where the disk is full the oldest readings give their place to the new ones. */
  commit(change: SpoolChange): SpoolCommit {
    return this.#recovering(change.now, () => {
      const file = this.#opened();
      let made: SpoolDropped = { full: 0, age: 0 };
      try {
        return file.commit(change);
      } catch (error) {
        if (spoolTrouble(error, this.#options.path).kind !== 'full') throw error;
        made = file.makeRoom(bytesOf(change));
        if (made.full === 0) throw error;
      }
      const { dropped, ...rest } = file.commit(change);
      return { ...rest, dropped: { full: dropped.full + made.full, age: dropped.age } };
    });
  }

  read(after: number, limit: SpoolReadLimit, now: number): SpoolRow[] {
    return this.#recovering(now, () => this.#opened().read(after, limit));
  }

  state(now: number): Pick<SpoolCommit, 'depth' | 'bytes' | 'oldestAt'> & { marks: SpoolMark[] } {
    return this.#recovering(now, () => ({
      ...this.#opened().state(),
      marks: this.#opened().marks(),
    }));
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #opened(): SpoolFile {
    this.#file ??= new SpoolFile(this.#options.path, this.#options.bounds);
    return this.#file;
  }

  /** A damaged file is moved aside, and the work done once more in a new one. */
  #recovering<T>(now: number, work: () => T): T {
    const { path, damaged } = this.#options;
    try {
      return work();
    } catch (error) {
      const trouble = troubleOf(error, path);
      if (trouble.kind !== 'damaged') throw new SpoolError(trouble, error);
      try {
        damaged(trouble, this.#moveAside(now));
        return work();
      } catch (again) {
        throw new SpoolError(troubleOf(again, path), again);
      }
    }
  }

  #moveAside(now: number): string {
    const { path } = this.#options;
    try {
      this.close();
    } catch {
      // What is damaged may not close well either; its descriptors go with it.
      this.#file = undefined;
    }
    const stamp = new Date(now).toISOString().replaceAll(':', '-');
    const movedTo = `${path}.damaged-${stamp}`;
    for (const part of ['', '-wal', '-shm']) {
      if (existsSync(path + part)) renameSync(path + part, movedTo + part);
    }
    return movedTo;
  }
}

function troubleOf(error: unknown, path: string): SpoolTrouble {
  if (error instanceof NewerSpoolError) return { kind: 'unusable', text: error.message };
  return spoolTrouble(error, path);
}

/** With what SQLite needs around it. */
function bytesOf({ append }: SpoolChange): number {
  return append.reduce((sum, { entry, body }) => {
    return sum + body.length + JSON.stringify(entry).length + 4_096;
  }, 8_192);
}
