import { ClassicLevel } from 'classic-level';

type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string };

interface Waiting {
  readonly operations: readonly Operation[];
  resolve(): void;
  reject(error: unknown): void;
}

type WriteSynced = (operations: readonly Operation[]) => Promise<void>;

/**
 * What dynalite 4.0.0 writes is in the system's memory when it says so, and a power cut takes it. Whoever sent it (an agent its
 * readings, an operator a revocation) has forgotten it by then, so that every write is synced here. What comes while one is
 * under way goes with the next: a sync a group, in the order of arrival. To be called before dynalite is.
 */
export function syncWrites(): void {
  const { prototype } = ClassicLevel;
  const batch = prototype.batch as unknown as (
    this: unknown,
    operations: readonly Operation[],
    options: { readonly sync: true },
  ) => Promise<void>; // of its overloads the one that dynalite's databases have: text keys, any value
  const groups = new WeakMap<object, WriteGroup>();
  const groupOf = (db: object): WriteGroup => {
    const known = groups.get(db);
    if (known !== undefined) return known;
    const group = new WriteGroup((operations) => batch.call(db, operations, { sync: true }));
    groups.set(db, group);
    return group;
  };
  const write = (db: object, operations: readonly Operation[]) => groupOf(db).write(operations);
  Object.assign(prototype, {
    put(this: object, key: string, value: unknown) {
      return write(this, [{ type: 'put', key, value }]);
    },
    del(this: object, key: string) {
      return write(this, [{ type: 'del', key }]);
    },
    batch(this: object, operations: readonly Operation[]) {
      return write(this, operations);
    },
  });
}

/** Writes of one database: one is under way, and what comes meanwhile is the next. */
class WriteGroup {
  readonly #synced: WriteSynced;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(synced: WriteSynced) {
    this.#synced = synced;
  }

  /** Resolves when it is on the disk; rejects where its whole group could not be written. */
  write(operations: readonly Operation[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operations, resolve, reject });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#synced(group.flatMap(({ operations }) => operations));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#isWriting = false;
  }
}
