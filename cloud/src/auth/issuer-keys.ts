import type { JWTVerifyGetKey } from 'jose';

/** The public keys with which one issuer signs. */
export interface IssuerKeys {
  /**
   * The key that a token's header names; it chooses among this issuer's keys only. Rejects with jose's
   * `JWKSNoMatchingKey` or `JWKSMultipleMatchingKeys`, or with `IssuerUnavailable` where nothing is known now.
   */
  readonly find: JWTVerifyGetKey;
}

/** The issuer cannot be asked, and what it said before is too old to be believed. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable';
  /** Milliseconds until it is asked again. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfterMs = retryAfterMs;
  }
}
