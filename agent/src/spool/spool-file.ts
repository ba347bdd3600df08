import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type {
  SpoolBounds,
  SpoolChange,
  SpoolCommit,
  SpoolDropped,
  SpoolEntry,
  SpoolMark,
  SpoolReading,
  SpoolReadLimit,
  SpoolRow,
} from './spool-reading.ts';

/** Of the tables below; a file with a newer one was written by a newer agent. */
const schemaVersion = 1;

/**
 * FULL: a commit is on the disk when it returns (sqlite.org/pragma.html#pragma_synchronous; NORMAL syncs a WAL only at
 * checkpoints). EXCLUSIVE: a second agent on the same file is told so, and no shared memory is needed.
 */
const settings = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -1024;
`;

/** AUTOINCREMENT: an id that came again could be removed by a late `stored` for the reading that had it before. */
const tables = `
  CREATE TABLE IF NOT EXISTS readings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, schedule TEXT NOT NULL, at INTEGER NOT NULL, taken INTEGER NOT NULL,
    bytes INTEGER NOT NULL, entry TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (schedule, at)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS marks (schedule TEXT PRIMARY KEY, at INTEGER NOT NULL, step INTEGER NOT NULL) STRICT;
  PRAGMA user_version = ${schemaVersion};
`;

/** What a row costs besides its entry and body. */
const rowBytes = 64;
/** Rows that are looked at in one go when some must be dropped. */
const dropRows = 256;

/** The spool's file was written by an agent that knows more than this one. */
export class NewerSpoolError extends Error {
  override readonly name = 'NewerSpoolError';
}

/** The database of the spool: synchronous, for a thread of its own. Methods throw the errors of `node:sqlite`. */
export class SpoolFile {
  readonly #db: DatabaseSync;
  readonly #bounds: SpoolBounds;
  readonly #insert: StatementSync;
  readonly #mark: StatementSync;
  readonly #remove: StatementSync;
  readonly #oldest: StatementSync;
  readonly #after: StatementSync;
  #depth = 0;
  #bytes = 0;

  /**
   * Opens the file, or makes it, and checks all of it.
   *
   * @throws NewerSpoolError; else what SQLite says, also of a file that is damaged.
   */
  constructor(path: string, bounds: SpoolBounds) {
    this.#bounds = bounds;
    this.#db = new DatabaseSync(path);
    try {
      this.#db.exec(settings);
      this.#prepareTables(path);
      this.#insert = this.#db.prepare(
        'INSERT OR IGNORE INTO readings (schedule, at, taken, bytes, entry, body) VALUES (?, ?, ?, ?, ?, ?)',
      );
      this.#mark = this.#db.prepare('INSERT OR REPLACE INTO marks VALUES (?, ?, ?)');
      this.#remove = this.#db.prepare('DELETE FROM readings WHERE id = ? RETURNING bytes');
      this.#oldest = this.#db.prepare(
        `SELECT id, at, taken, bytes FROM readings ORDER BY id LIMIT ${dropRows}`,
      );
      this.#after = this.#db.prepare(
        'SELECT id, bytes, entry, body FROM readings WHERE id > ? ORDER BY id LIMIT ?',
      );
      this.#count();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** All of it, or nothing; on the disk when this returns. */
  commit({ append, remove, now }: SpoolChange): SpoolCommit {
    const before = { depth: this.#depth, bytes: this.#bytes };
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const removed = remove.filter((id) => this.#drop(id)).length;
      const aged = this.#dropOldest(({ taken }) => taken < now - this.#bounds.maxAgeMs);
      const added = append.filter((reading) => this.#add(reading, now)).length;
      const full = this.#dropOldest(() => this.#bytes > this.#bounds.maxBytes);
      this.#db.exec('COMMIT');
      return { ...this.state(), added, removed, dropped: { full, age: aged } };
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#depth = before.depth;
      this.#bytes = before.bytes;
      throw error;
    }
  }

  /** Drops the oldest until `bytes` are free: where the disk is full, their pages are written again. */
  makeRoom(bytes: number): SpoolDropped {
    this.#db.exec('PRAGMA wal_checkpoint(RESTART)');
    const target = Math.max(0, this.#bytes - bytes);
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const full = this.#dropOldest(() => this.#bytes > target);
      this.#db.exec('COMMIT');
      return { full, age: 0 };
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#count();
      throw error;
    }
  }

  /** The rows after `id`, the oldest first: at least one where there is one. */
  read(id: number, limit: SpoolReadLimit): SpoolRow[] {
    const rows: SpoolRow[] = [];
    let bytes = 0;
    for (const row of this.#after.iterate(id, limit.rows)) {
      rows.push({
        id: Number(row['id']),
        // What stands there was written by `commit`.
        entry: JSON.parse(String(row['entry'])) as SpoolEntry,
        body: row['body'] as Uint8Array,
      });
      bytes += Number(row['bytes']);
      if (bytes >= limit.bytes) break;
    }
    return rows;
  }

  marks(): SpoolMark[] {
    const rows = this.#db.prepare('SELECT schedule, at, step FROM marks').all();
    return rows.map(({ schedule, at, step }) => ({
      schedule: String(schedule),
      at: Number(at),
      step: Number(step),
    }));
  }

  state(): Pick<SpoolCommit, 'depth' | 'bytes' | 'oldestAt'> {
    const oldest = this.#depth === 0 ? undefined : this.#oldest.get();
    return {
      depth: this.#depth,
      bytes: this.#bytes,
      oldestAt: oldest && Number(oldest['at']),
    };
  }

  close(): void {
    this.#db.close();
  }

  #prepareTables(path: string): void {
    const version = Number(this.#db.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > schemaVersion) {
      throw new NewerSpoolError(
        `${path} was written by a newer agent (spool version ${version}, this one knows ${schemaVersion}): update the agent, or name another file (spool.path)`,
      );
    }
    const check = this.#db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (check !== 'ok') throw new DamagedSpoolError(`${path} is damaged: ${String(check)}`);
    this.#db.exec(tables);
  }

  #count(): void {
    const sum = this.#db
      .prepare('SELECT count(*) AS depth, sum(bytes) AS bytes FROM readings')
      .get();
    this.#depth = Number(sum?.['depth'] ?? 0);
    this.#bytes = Number(sum?.['bytes'] ?? 0);
  }

  /** False where this time of this schedule waits already. */
  #add({ entry, body, step }: SpoolReading, now: number): boolean {
    const text = JSON.stringify(entry);
    const bytes = Buffer.byteLength(text) + body.length + rowBytes;
    const { changes } = this.#insert.run(entry.schedule, entry.at, now, bytes, text, body);
    this.#mark.run(entry.schedule, entry.at, step);
    if (changes === 0) return false;
    this.#depth += 1;
    this.#bytes += bytes;
    return true;
  }

  #drop(id: number): boolean {
    const row = this.#remove.get(id);
    if (row === undefined) return false;
    this.#depth -= 1;
    this.#bytes -= Number(row['bytes']);
    return true;
  }

  /** From the oldest on, while `mustGo`. Returns how many went. */
  #dropOldest(mustGo: (row: { taken: number }) => boolean): number {
    let dropped = 0;
    for (;;) {
      const rows = this.#depth === 0 ? [] : this.#oldest.all();
      for (const { id, taken } of rows) {
        if (!mustGo({ taken: Number(taken) })) return dropped;
        this.#drop(Number(id));
        dropped += 1;
      }
      if (rows.length < dropRows) return dropped;
    }
  }
}

/** The file can be read, and what it holds contradicts itself. */
export class DamagedSpoolError extends Error {
  override readonly name = 'DamagedSpoolError';
}
