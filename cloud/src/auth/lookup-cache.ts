import { RegistryError } from '../registry/registry-error.ts';

export interface LookupCacheInit<V> {
  /** The strong read; undefined where there is nothing. */
  readonly load: (key: string) => Promise<V | undefined>;
  /** Milliseconds that a value, and the absence of one, may be believed. */
  readonly maxAgeMs: number;
  readonly missAgeMs: number;
  /** Values, and absences, that are kept at most. */
  readonly capacity: number;
  /** Reads of keys that were not there, at a time at most: guesses must not take the registry from the others. */
  readonly firstReads: number;
  /** Whether `clear` is called for every change: then a value holds until it is, and its age says only when to look again. */
  readonly told?: boolean | undefined;
}

/** After a read that failed, milliseconds until what still holds is read again behind the answer. */
const failedReadMs = 1_000;

interface Entry<V> {
  readonly value: V | undefined;
  /** When its read was *begun*: the value may be as old as that. */
  readonly readAt: number;
}

/**
 * What the registry said lately. A value that is there is returned at once, without a promise; one that has passed
 * half its age is read again behind the answer, so that a busy key never waits. Reads of one key are shared, values
 * and absences are bounded apart, so that guesses cannot push out what is real. The clock is the caller's.
 */
export class LookupCache<V> {
  readonly #init: LookupCacheInit<V>;
  #values = new Map<string, Entry<V>>();
  #misses = new Map<string, Entry<V>>();
  #reads = new Map<string, Promise<V | undefined>>();
  #firstReads = 0;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(init: LookupCacheInit<V>) {
    this.#init = init;
  }

  /** What was there when the key was read last, however long ago: enough to tell it from a guess, and no more. */
  peek(key: string): V | undefined {
    return this.#values.get(key)?.value;
  }

  /**
   * `now` in milliseconds. Rejects with what `load` throws, and nothing is kept then; throws `RegistryError`
   * `unavailable` where too many new keys are read already.
   */
  get(key: string, now: number): V | undefined | Promise<V | undefined> {
    const entry = this.#values.get(key) ?? this.#misses.get(key);
    if (entry === undefined) return this.#firstRead(key, now);
    const limit = entry.value === undefined ? this.#init.missAgeMs : this.#init.maxAgeMs;
    const age = now - entry.readAt;
    const holds = this.#init.told === true && entry.value !== undefined;
    if (!holds && (age < 0 || age >= limit)) return this.#read(key, now);
    if (age < 0) this.#readBehind(key, now);
    if (entry.value !== undefined && age >= limit / 2) this.#readBehind(key, now);
    return entry.value;
  }

  /** Forgets one key: the next question reads it, or joins a read that is under way. */
  forget(key: string): void {
    this.#values.delete(key);
    this.#misses.delete(key);
  }

  /** Forgets everything, reads under way included: what they bring may be older than the reason to forget. */
  clear(): void {
    this.#values = new Map();
    this.#misses = new Map();
    this.#reads = new Map();
  }

  #firstRead(key: string, now: number): Promise<V | undefined> {
    const under = this.#reads.get(key);
    if (under !== undefined) return under;
    if (this.#firstReads >= this.#init.firstReads) {
      throw new RegistryError('unavailable', 'too many unknown keys are looked up at once');
    }
    this.#firstReads += 1;
    return this.#read(key, now).finally(() => {
      this.#firstReads -= 1;
    });
  }

  #readBehind(key: string, now: number): void {
    if (now >= this.#failedAt && now - this.#failedAt < failedReadMs) return;
    this.#read(key, now).catch(() => {
      this.#failedAt = now; // the entry goes on until its age; then the error is the caller's
    });
  }

  #read(key: string, now: number): Promise<V | undefined> {
    const reads = this.#reads;
    const under = reads.get(key);
    if (under !== undefined) return under;
    const read = this.#init.load(key).then((value) => {
      if (reads === this.#reads) this.#keep(key, { value, readAt: now });
      return value;
    });
    reads.set(key, read);
    const done = () => reads.delete(key);
    read.then(done, done);
    return read;
  }

  #keep(key: string, entry: Entry<V>): void {
    this.#values.delete(key);
    this.#misses.delete(key);
    const entries = entry.value === undefined ? this.#misses : this.#values;
    entries.set(key, entry);
    if (entries.size <= this.#init.capacity) return;
    const [oldest] = entries.keys();
    if (oldest !== undefined) entries.delete(oldest);
  }
}
