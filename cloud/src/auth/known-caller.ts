import type { CredentialHeader } from '../http/pull-headers.ts';
import type { Grant } from '../registry/registry.ts';
import { AuthError } from './auth-error.ts';
import type { AuthenticatedCaller } from './callers.ts';
import { compileGrants } from './grants.ts';

export interface KnownCallerInit {
  readonly id: string;
  readonly name: string;
  readonly grants: readonly Grant[];
  /** Epoch seconds; undefined: without an end. */
  readonly expiresAt: number | undefined;
  readonly revoked: boolean;
}

/** A caller by a credential that was looked up or checked, ready for either header. */
export interface KnownCaller {
  readonly callers: Readonly<Record<CredentialHeader, AuthenticatedCaller>>;
  readonly expiresAtMs: number;
  readonly revoked: boolean;
}

/** `wall`: see `compileGrants`. */
export function knownCaller(init: KnownCallerInit, wall: () => number): KnownCaller {
  const { id, name, revoked, expiresAt } = init;
  const caller = { id, name, grants: compileGrants(init.grants, wall) };
  return {
    callers: {
      'pullwire-key': { ...caller, credential: 'pullwire-key' },
      authorization: { ...caller, credential: 'authorization' },
    },
    expiresAtMs: (expiresAt ?? Number.POSITIVE_INFINITY) * 1_000,
    revoked,
  };
}

/** Whether `inForce` would let it in. */
export function isGood(known: KnownCaller | undefined, now: number): boolean {
  return known !== undefined && !known.revoked && now < known.expiresAtMs;
}

/** The caller, where the credential holds at this moment (milliseconds); throws `AuthError`. */
export function inForce(
  known: KnownCaller | undefined,
  header: CredentialHeader,
  now: number,
): AuthenticatedCaller {
  if (known === undefined) throw new AuthError('key-unknown', 'the caller key is unknown');
  const caller = known.callers[header];
  if (known.revoked) throw new AuthError('key-revoked', `the caller key ${caller.id} was revoked`);
  if (now < known.expiresAtMs) return caller;
  throw new AuthError('key-expired', `the caller key or token of ${caller.id} has expired`);
}
