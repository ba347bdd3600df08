import type { Clock } from '@pullwire/shared';
import type { KeyRecord, Registry } from '../registry/registry.ts';
import { hashCallerKey } from './caller-key.ts';
import { type KnownCaller, knownCaller } from './known-caller.ts';
import { LookupCache } from './lookup-cache.ts';

/** DESIGN.md, "Decisions" 4: any revocation holds within 10 s everywhere. */
const cached = { maxAgeMs: 10_000, missAgeMs: 1_000, capacity: 10_000, firstReads: 64 };

const hashLimit = 1_024;
/** The last use of a key is written this coarsely (milliseconds). */
const useNoteMs = 3_600_000;

export interface CallerKeysOptions {
  readonly registry: Pick<Registry, 'keyByHash' | 'noteKeyUse'>;
  readonly clock: Clock;
  noteUse(work: Promise<unknown>): void;
  /** Whether `clear` is called for every change of the registry; see `LookupCache`. */
  readonly told: boolean;
}

/** The keys of callers as the registry has them. */
export class CallerKeys {
  readonly #options: CallerKeysOptions;
  readonly #known: LookupCache<KnownCaller>;
  /** Hashes of keys that were in requests lately, so that a busy caller costs one a while. In memory only. */
  readonly #hashes = new Map<string, string>();

  constructor(options: CallerKeysOptions) {
    this.#options = options;
    this.#known = new LookupCache({
      load: (hash) => this.#load(hash),
      ...cached,
      told: options.told,
    });
  }

  /** See `LookupCache`. */
  peek(key: string): KnownCaller | undefined {
    return this.#known.peek(this.#hashOf(key));
  }

  get(key: string, now: number): KnownCaller | undefined | Promise<KnownCaller | undefined> {
    return this.#known.get(this.#hashOf(key), now);
  }

  clear(): void {
    this.#known.clear();
    this.#hashes.clear();
  }

  async #load(hash: string): Promise<KnownCaller | undefined> {
    const record = await this.#options.registry.keyByHash(hash);
    if (record === undefined) return undefined;
    this.#noteUse(record);
    const { id, name, grants, expiresAt, revokedAt } = record;
    const revoked = revokedAt !== undefined;
    return knownCaller({ id, name, grants, expiresAt, revoked }, () => this.#options.clock.wall());
  }

  /** A record is read only for a request that carries its key. Where the note fails, the next read makes another. */
  #noteUse({ hash, lastUsedAt = 0, revokedAt, expiresAt }: KeyRecord): void {
    const { registry, clock, noteUse } = this.#options;
    const now = clock.wall();
    const expired = expiresAt !== undefined && now >= expiresAt * 1_000;
    if (revokedAt !== undefined || expired || now - lastUsedAt < useNoteMs) return;
    noteUse(registry.noteKeyUse(hash, now).catch(() => undefined));
  }

  #hashOf(key: string): string {
    const known = this.#hashes.get(key);
    if (known !== undefined) return known;
    if (this.#hashes.size >= hashLimit) this.#hashes.clear();
    const hash = hashCallerKey(key);
    this.#hashes.set(key, hash);
    return hash;
  }
}
