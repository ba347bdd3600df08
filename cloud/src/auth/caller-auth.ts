import { type Clock, type HeaderList, PullFault } from '@pullwire/shared';
import type { CredentialHeader } from '../http/pull-headers.ts';
import type { KeyRecord, Registry } from '../registry/registry.ts';
import { AuthError } from './auth-error.ts';
import { hashCallerKey, isCallerKey } from './caller-key.ts';
import type { AuthenticatedCaller, Callers } from './callers.ts';
import { compileGrants } from './grants.ts';
import { LookupCache } from './lookup-cache.ts';
import { registryFault } from './registry-fault.ts';

/** DESIGN.md, "Decisions" 4: any revocation holds within 10 s everywhere. */
const cached = { maxAgeMs: 10_000, missAgeMs: 1_000, capacity: 10_000, firstReads: 64 };

const hashLimit = 1_024;

export interface CallerAuthOptions {
  readonly registry: Pick<Registry, 'keyByHash'>;
  readonly clock: Clock;
}

/** A key as the registry has it, with the caller that it stands for ready for either header. */
interface KnownKey {
  readonly callers: Readonly<Record<CredentialHeader, AuthenticatedCaller>>;
  readonly expiresAtMs: number;
  readonly revoked: boolean;
}

interface Credential {
  readonly header: CredentialHeader;
  readonly key: string;
}

/** Tells callers by their keys. What the registry said holds for 10 s at most, and until `clear()`. */
export class CallerAuth implements Callers {
  readonly #clock: Clock;
  readonly #keys: LookupCache<KnownKey>;
  /** Hashes of keys that were in requests lately, so that a busy caller costs one a while. In memory only. */
  readonly #hashes = new Map<string, string>();

  constructor({ registry, clock }: CallerAuthOptions) {
    this.#clock = clock;
    this.#keys = new LookupCache({
      load: async (hash) => {
        const record = await registry.keyByHash(hash);
        return record === undefined ? undefined : toKnownKey(record);
      },
      ...cached,
    });
  }

  /** The caller at once where the key was seen lately. Throws or rejects with `PullFault`; its cause says more. */
  authenticate(headers: HeaderList): AuthenticatedCaller | Promise<AuthenticatedCaller> {
    const now = this.#clock.wall();
    try {
      const credential = credentialOf(headers);
      const known = this.#keys.get(this.#hashOf(credential.key), now);
      if (!(known instanceof Promise)) return inForce(known, credential, now);
      return known.then((key) => inForce(key, credential, now)).catch(refuse);
    } catch (error) {
      return refuse(error);
    }
  }

  #hashOf(key: string): string {
    const known = this.#hashes.get(key);
    if (known !== undefined) return known;
    if (this.#hashes.size >= hashLimit) this.#hashes.clear();
    const hash = hashCallerKey(key);
    this.#hashes.set(key, hash);
    return hash;
  }

  /** Forgets what the registry said: the next request of each caller asks it again. */
  clear(): void {
    this.#keys.clear();
    this.#hashes.clear();
  }
}

/**
 * `Pullwire-Key` wins: an `Authorization` beside it is the upstream's own. Of a header that is repeated, the first
 * one counts.
 */
function credentialOf(headers: HeaderList): Credential {
  const own = headerOf(headers, 'pullwire-key');
  if (own !== undefined) return { header: 'pullwire-key', key: checked(own) };
  const bearer = bearerOf(headerOf(headers, 'authorization'));
  if (bearer !== undefined) return { header: 'authorization', key: checked(bearer) };
  throw new AuthError('key-missing', 'no caller key: send it as Pullwire-Key');
}

function headerOf(headers: HeaderList, name: string): string | undefined {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const header = headers[at] as string;
    if (header.length === name.length && header.toLowerCase() === name) return headers[at + 1];
  }
  return undefined;
}

/** The scheme's name has no case (RFC 9110 §11.1). */
function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || !/^bearer /i.test(authorization)) return undefined;
  return authorization.slice('bearer '.length).trim();
}

function checked(key: string): string {
  if (isCallerKey(key)) return key;
  throw new AuthError('key-malformed', 'the caller key is malformed');
}

function toKnownKey(record: KeyRecord): KnownKey {
  const caller = { id: record.id, name: record.name, grants: compileGrants(record.grants) };
  return {
    callers: {
      'pullwire-key': { ...caller, credential: 'pullwire-key' },
      authorization: { ...caller, credential: 'authorization' },
    },
    expiresAtMs: (record.expiresAt ?? Number.POSITIVE_INFINITY) * 1_000,
    revoked: record.revokedAt !== undefined,
  };
}

function inForce(
  key: KnownKey | undefined,
  { header }: Credential,
  now: number,
): AuthenticatedCaller {
  if (key === undefined) throw new AuthError('key-unknown', 'the caller key is unknown');
  const caller = key.callers[header];
  if (key.revoked) throw new AuthError('key-revoked', `the caller key ${caller.id} was revoked`);
  if (now < key.expiresAtMs) return caller;
  throw new AuthError('key-expired', `the caller key ${caller.id} has expired`);
}

function refuse(error: unknown): never {
  if (!(error instanceof AuthError)) throw registryFault(error);
  const detail = error.message;
  throw new PullFault('caller-unauthenticated', 'caller-auth', { detail, cause: error });
}
