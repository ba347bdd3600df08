import type { Clock, Timer } from '@pullwire/shared';
import type { Logger } from 'pino';
import { SpoolQueue } from './spool-queue.ts';
import type {
  SpoolBounds,
  SpoolCommit,
  SpoolDropped,
  SpoolMark,
  SpoolReading,
  SpoolReadLimit,
  SpoolRow,
} from './spool-reading.ts';
import { SpoolThread, SpoolWorkError } from './spool-thread.ts';
import type { SpoolTrouble } from './spool-trouble.ts';

export interface SpoolOptions {
  /** Absolute. */
  readonly path: string;
  readonly bounds: SpoolBounds;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SpoolSnapshot {
  /** Readings that wait for the relay, their bytes, and when the oldest was due (epoch milliseconds). */
  readonly depth: number;
  readonly bytes: number;
  readonly oldestAt: number | undefined;
  /** Since the start: readings that were safe on the disk. */
  readonly taken: number;
  /** Since the start: readings that were lost, and why. */
  readonly dropped: SpoolDropped & { readonly unwritten: number };
  /** Readings in memory that could not be written yet. */
  readonly unwritten: number;
  readonly commits: number;
  /** Why nothing can be written now; undefined while all is well. */
  readonly trouble: string | undefined;
}

/** A disk that is full has room again when somebody made some. */
const retryMs = 5_000;

/**
 * Where readings wait for the relay, on the disk. What is appended while a commit runs goes into the next one, all of
 * it together: many schedules cost no more waits for the disk than one. No trouble of the disk comes out as an error:
 * readings are held in memory meanwhile, within bounds, and what is lost is counted.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #thread: SpoolThread;
  readonly #queue = new SpoolQueue();
  readonly #listeners = new Set<() => void>();
  #state: Pick<SpoolCommit, 'depth' | 'bytes' | 'oldestAt'> = {
    depth: 0,
    bytes: 0,
    oldestAt: undefined,
  };
  #taken = 0;
  #dropped: SpoolDropped = { full: 0, age: 0 };
  #commits = 0;
  #working: Promise<void> | undefined;
  #retry: Timer | undefined;
  #trouble: SpoolTrouble | undefined;
  #stopped = false;

  constructor(options: SpoolOptions) {
    const { path, bounds, logger } = options;
    this.#options = options;
    const damaged = (trouble: SpoolTrouble, movedTo: string): void => {
      logger.error(
        { detail: trouble.text, movedTo },
        'the spool was damaged: it was moved aside and a new one begun; readings that waited in it are not sent',
      );
    };
    this.#thread = new SpoolThread({ path, bounds }, { damaged });
  }

  /** Opens the file. Never rejects: where it cannot be opened the log says why, and each append tries again. */
  async start(): Promise<readonly SpoolMark[]> {
    try {
      const { marks, ...state } = await this.#thread.do({ kind: 'open', now: this.#now() });
      this.#state = state;
      this.#well();
      return marks;
    } catch (error) {
      this.#troubled(troubleOf(error));
      return [];
    }
  }

  /** `added` is called when there is something new to read. */
  onAdded(added: () => void): void {
    this.#listeners.add(added);
  }

  /** Resolves when the reading is on the disk: true; or when it was lost: false. */
  append(reading: SpoolReading): Promise<boolean> {
    const taken = this.#queue.append(reading);
    this.#work();
    return taken;
  }

  /** The relay has them, or will never take them. Resolves when that is on the disk; after a crash they may come again. */
  remove(ids: readonly number[]): Promise<void> {
    const removed = this.#queue.remove(ids);
    this.#work();
    return removed;
  }

  /** Those after the id, the oldest first; none where they cannot be read now. */
  async read(after: number, limit: SpoolReadLimit): Promise<readonly SpoolRow[]> {
    try {
      return await this.#thread.do({ kind: 'read', after, limit, now: this.#now() });
    } catch (error) {
      this.#troubled(troubleOf(error));
      return [];
    }
  }

  snapshot(): SpoolSnapshot {
    return {
      ...this.#state,
      taken: this.#taken,
      dropped: { ...this.#dropped, unwritten: this.#queue.lost },
      unwritten: this.#queue.length,
      commits: this.#commits,
      trouble: this.#trouble?.text,
    };
  }

  /** Writes what waits, once, and closes the file. */
  async stop(): Promise<void> {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#work();
    this.#stopped = true;
    await this.#working;
    await this.#thread.stop();
    const unwritten = this.#queue.end();
    if (unwritten > 0)
      this.#options.logger.error({ unwritten }, 'readings were lost: the spool cannot be written');
  }

  #work(): void {
    if (this.#working !== undefined || this.#retry !== undefined || this.#stopped) return;
    this.#working = this.#commitAll().finally(() => {
      this.#working = undefined;
      // What came after the last look, and before this.
      if (!this.#queue.isEmpty) this.#work();
    });
  }

  /** Commit after commit, until nothing waits or the disk refuses. */
  async #commitAll(): Promise<void> {
    // What else is appended in this turn belongs to the same commit.
    await Promise.resolve();
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) {
      try {
        const change = { append: next.append, remove: next.remove, now: this.#now() };
        const done = await this.#thread.do({ kind: 'commit', change });
        this.#committed(done);
        this.#queue.written();
      } catch (error) {
        this.#queue.refused();
        return this.#troubled(troubleOf(error));
      }
    }
  }

  #committed({ added, dropped, depth, bytes, oldestAt }: SpoolCommit): void {
    this.#state = { depth, bytes, oldestAt };
    this.#commits += 1;
    this.#taken += added;
    this.#dropped = {
      full: this.#dropped.full + dropped.full,
      age: this.#dropped.age + dropped.age,
    };
    this.#well();
    if (dropped.full + dropped.age > 0) {
      this.#options.logger.warn(
        { ...dropped, depth, bytes },
        'the oldest readings were dropped: over spool.maxBytes, over spool.maxAgeHours, or the disk is full',
      );
    }
    if (added > 0) for (const listener of this.#listeners) listener();
  }

  #well(): void {
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#options.logger.info('the spool can be written again');
  }

  #troubled(trouble: SpoolTrouble): void {
    const { logger, clock } = this.#options;
    if (this.#trouble?.text !== trouble.text) {
      logger.error(
        { kind: trouble.kind, detail: trouble.text },
        'the spool cannot be used: readings wait in memory, pulls go on',
      );
    }
    this.#trouble = trouble;
    if (this.#stopped) return;
    this.#retry?.cancel();
    this.#retry = clock.after(retryMs, () => {
      this.#retry = undefined;
      this.#work();
      for (const listener of this.#listeners) listener();
    });
  }

  #now(): number {
    return this.#options.clock.wall();
  }
}

function troubleOf(error: unknown): SpoolTrouble {
  if (error instanceof SpoolWorkError) return error.trouble;
  throw error;
}
