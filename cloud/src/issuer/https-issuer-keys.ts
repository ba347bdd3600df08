import type { Clock } from '@pullwire/shared';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { type IssuerKeys, IssuerUnavailable } from '../auth/issuer-keys.ts';
import type { IssuerConfig } from '../config/issuer-config.ts';
import { HttpsIssuerDocuments } from './https-issuer-documents.ts';

/** Milliseconds after which keys are asked for again behind the answer. */
const freshMs = 5 * 60_000;
/** Milliseconds for which keys are believed while the issuer is down. */
const believedMs = 60 * 60_000;
/** Milliseconds between two questions, however many tokens name keys that nobody knows; after one that failed. */
const cooldownMs = 30_000;
const failedCooldownMs = 5_000;

export interface HttpsIssuerKeysOptions {
  readonly config: Pick<IssuerConfig, 'issuer' | 'jwksUri'>;
  readonly clock: Clock;
}

/**
 * An issuer's keys by HTTP (RFC 7517 §5). jose's `createRemoteJWKSet` is not used: it has no pause after a question that
 * failed, and takes the time from the process.
 */
export class HttpsIssuerKeys implements IssuerKeys {
  readonly #clock: Clock;
  readonly #documents: HttpsIssuerDocuments;
  #keys: { readonly find: JWTVerifyGetKey; readonly at: number } | undefined;
  /** When the issuer may be asked again (epoch milliseconds), and what became of the last question. */
  #askFrom = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  #failure: unknown;

  constructor({ config, clock }: HttpsIssuerKeysOptions) {
    this.#clock = clock;
    this.#documents = new HttpsIssuerDocuments({ config, clock });
  }

  readonly find: JWTVerifyGetKey = async (header, token) => {
    const known = await this.#known();
    try {
      return await known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const before = this.#keys;
      await this.#ask();
      if (this.#failure !== undefined) throw this.#unavailable(); // the key may be a new one
      if (this.#keys === before) throw error;
      return (await this.#known())(header, token);
    }
  };

  /** Keys that may be believed; those that are not fresh any more go on while the next ones come. */
  async #known(): Promise<JWTVerifyGetKey> {
    if (this.#age() >= freshMs) {
      const asking = this.#ask();
      if (this.#age() >= believedMs) await asking;
    }
    if (this.#keys !== undefined && this.#age() < believedMs) return this.#keys.find;
    throw this.#unavailable();
  }

  #unavailable(): IssuerUnavailable {
    const retryAfterMs = Math.max(1_000, this.#askFrom - this.#clock.wall());
    const message = 'the keys of the issuer cannot be read';
    return new IssuerUnavailable(message, retryAfterMs, this.#failure);
  }

  /** Milliseconds; endless where there are no keys, or the clock was set back. */
  #age(): number {
    const age = this.#clock.wall() - (this.#keys?.at ?? Number.NEGATIVE_INFINITY);
    return age < 0 ? Number.POSITIVE_INFINITY : age;
  }

  /** Joins the question that is under way, or asks where that may be; never rejects. */
  async #ask(): Promise<void> {
    const now = this.#clock.wall();
    // One that lies further ahead than a pause is long is from before the clock was set back.
    if (this.#asking === undefined && (now >= this.#askFrom || this.#askFrom - now > cooldownMs)) {
      this.#asking = this.#read(now);
    }
    await this.#asking;
  }

  async #read(now: number): Promise<void> {
    this.#askFrom = now + cooldownMs;
    try {
      const keys = await this.#documents.keys();
      this.#keys = { find: createLocalJWKSet(keys as JSONWebKeySet), at: now };
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
      this.#askFrom = this.#clock.wall() + failedCooldownMs;
    } finally {
      this.#asking = undefined;
    }
  }
}
