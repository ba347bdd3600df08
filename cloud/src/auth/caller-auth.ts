import type { KeyRecord, Registry } from '../registry/registry.ts';
import { AuthError } from './auth-error.ts';
import { hashCallerKey, isCallerKey } from './caller-key.ts';
import { compileGrants, type GrantSet } from './grants.ts';
import { LookupCache } from './lookup-cache.ts';

/** DESIGN.md, "Decisions" 4: any revocation holds within 10 s everywhere. */
const maxAgeMs = 10_000;
const missAgeMs = 1_000;
const capacity = 10_000;

/** The values of the two headers that may carry a caller's credential, where they are there. */
export interface CallerHeaders {
  readonly pullwireKey?: string | undefined;
  readonly authorization?: string | undefined;
}

export type CredentialHeader = 'pullwire-key' | 'authorization';

/** Whoever sends the request, and what they may pull. */
export interface Caller {
  readonly keyId: string;
  readonly name: string;
  readonly grants: GrantSet;
}

interface KnownKey {
  readonly caller: Caller;
  readonly expiresAtMs: number;
  readonly revoked: boolean;
}

/**
 * The header that carries the relay's credential, and is not passed on: an `Authorization` beside a `Pullwire-Key`
 * is the upstream's own.
 */
export function credentialHeader(headers: CallerHeaders): CredentialHeader {
  return headers.pullwireKey === undefined ? 'authorization' : 'pullwire-key';
}

/** Tells callers by their keys. What the registry said holds for 10 s at most, and until `clear()`. */
export class CallerAuth {
  readonly #keys: LookupCache<KnownKey>;

  constructor(registry: Pick<Registry, 'keyByHash'>) {
    this.#keys = new LookupCache({
      load: async (hash) => {
        const record = await registry.keyByHash(hash);
        return record === undefined ? undefined : toKnownKey(record);
      },
      maxAgeMs,
      missAgeMs,
      capacity,
    });
  }

  /**
   * The caller at once where the key was seen lately, else a promise of it. `now` in milliseconds since the epoch.
   * Throws (or rejects with) an `AuthError`, or the `RegistryError` of the look-up.
   */
  authenticate(headers: CallerHeaders, now: number): Caller | Promise<Caller> {
    const found = this.#keys.get(hashCallerKey(credentialOf(headers)), now);
    if (found instanceof Promise) return found.then((key) => inForce(key, now));
    return inForce(found, now);
  }

  /** Forgets what the registry said: the next request of each caller asks it again. */
  clear(): void {
    this.#keys.clear();
  }
}

function credentialOf(headers: CallerHeaders): string {
  const key = headers.pullwireKey ?? bearerOf(headers.authorization);
  if (key === undefined) throw new AuthError('key-missing', 'no caller key');
  if (!isCallerKey(key)) throw new AuthError('key-malformed', 'the caller key is malformed');
  return key;
}

/** The scheme's name has no case (RFC 9110 §11.1). */
function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || !/^bearer /i.test(authorization)) return undefined;
  return authorization.slice('bearer '.length).trim();
}

function toKnownKey(record: KeyRecord): KnownKey {
  return {
    caller: { keyId: record.id, name: record.name, grants: compileGrants(record.grants) },
    expiresAtMs: record.expiresAt === undefined ? Number.POSITIVE_INFINITY : record.expiresAt * 1000,
    revoked: record.revokedAt !== undefined,
  };
}

function inForce(key: KnownKey | undefined, now: number): Caller {
  if (key === undefined) throw new AuthError('key-unknown', 'the caller key is unknown');
  const { keyId } = key.caller;
  if (key.revoked) throw new AuthError('key-revoked', `the caller key ${keyId} was revoked`);
  if (now >= key.expiresAtMs) throw new AuthError('key-expired', `the caller key ${keyId} has expired`);
  return key.caller;
}
