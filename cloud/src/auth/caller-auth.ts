import { type Clock, PullFault } from '@pullwire/shared';
import type { Registry } from '../registry/registry.ts';
import { AuthError } from './auth-error.ts';
import { type CallerCredential, credentialOf } from './caller-credential.ts';
import { hashCallerKey, isCallerKey } from './caller-key.ts';
import { CallerKeys } from './caller-keys.ts';
import type { AuthenticatedCaller, CallerRequest, Callers } from './callers.ts';
import type { Issuers } from './issuers.ts';
import { inForce, isGood, type KnownCaller, knownCaller } from './known-caller.ts';
import { LookupCache } from './lookup-cache.ts';
import { registryFault } from './registry-fault.ts';
import { attemptKeys, type Throttle } from './throttle.ts';
import { isTokenForm } from './token-form.ts';

/** DESIGN.md, "Decisions" 4: any revocation holds within 10 s everywhere. A token of an issuer has up to 8 KB. */
const cached = { maxAgeMs: 10_000, missAgeMs: 0, capacity: 1_000, firstReads: 64 };

export interface CallerAuthOptions {
  readonly registry: Pick<Registry, 'keyByHash' | 'noteKeyUse'>;
  readonly clock: Clock;
  /** Whose tokens are as good as keys; undefined: nobody's. */
  readonly issuers?: Pick<Issuers, 'caller'> | undefined;
  /** Undefined where the host has somebody else slow down who guesses. */
  readonly throttle?: Throttle | undefined;
  /** Takes care of the note that a key was used, which no request waits for; it handles its own errors. */
  readonly noteUse?: ((work: Promise<unknown>) => void) | undefined;
  /**
   * Whether `clear` is called for every change of the registry: then keys that were seen hold until it is, also while the
   * registry cannot be read, and no revocation is missed. Else they hold for 10 s.
   */
  readonly toldOfChanges?: boolean | undefined;
}

/** Where credentials of one kind are looked up. */
interface Lookup {
  peek(credential: string): KnownCaller | undefined;
  get(credential: string, now: number): KnownCaller | undefined | Promise<KnownCaller | undefined>;
}

/** Tells callers by their keys or tokens. What was looked up holds for 10 s, and until `clear()`. */
export class CallerAuth implements Callers {
  readonly #clock: Clock;
  readonly #throttle: Throttle | undefined;
  readonly #keys: CallerKeys;
  /** By the whole token: what an issuer's signature said lately. In memory only. */
  readonly #tokens: LookupCache<KnownCaller> | undefined;

  constructor(options: CallerAuthOptions) {
    const { registry, clock, issuers, throttle, noteUse, toldOfChanges } = options;
    this.#clock = clock;
    this.#throttle = throttle;
    this.#keys = new CallerKeys({
      registry,
      clock,
      noteUse: noteUse ?? (() => undefined),
      told: toldOfChanges === true,
    });
    const wall = () => clock.wall();
    this.#tokens =
      issuers &&
      new LookupCache({
        load: async (token) => {
          const caller = await issuers.caller(token, wall());
          return caller && knownCaller({ ...caller, revoked: false }, wall);
        },
        ...cached,
      });
  }

  /** The caller at once where the credential was seen lately. Throws or rejects with `PullFault`; its cause says more. */
  authenticate(request: CallerRequest): AuthenticatedCaller | Promise<AuthenticatedCaller> {
    let credential: CallerCredential | undefined;
    try {
      credential = credentialOf(request.headers);
      const found = this.#find(request, credential);
      if (!(found instanceof Promise)) return inForce(found, credential.header, this.#clock.wall());
      return this.#later(request, credential, found);
    } catch (error) {
      return this.#refuse(request, credential, error);
    }
  }

  async #later(
    request: CallerRequest,
    credential: CallerCredential,
    found: Promise<KnownCaller | undefined>,
  ): Promise<AuthenticatedCaller> {
    try {
      return inForce(await found, credential.header, this.#clock.wall());
    } catch (error) {
      return this.#refuse(request, credential, error);
    }
  }

  #find({ remoteAddress }: CallerRequest, { text }: CallerCredential): ReturnType<Lookup['get']> {
    const lookup = this.#lookupFor(text);
    const now = this.#clock.wall();
    // A caller that was let in before always passes: others behind its address may be guessing.
    if (this.#throttle !== undefined && !isGood(lookup?.peek(text), now)) {
      this.#throttle.check(attemptKeys(remoteAddress, hashCallerKey(text)));
    }
    if (lookup === undefined) throw new AuthError('key-malformed', 'the caller key is malformed');
    return lookup.get(text, now);
  }

  #lookupFor(credential: string): Lookup | undefined {
    if (isCallerKey(credential)) return this.#keys;
    return this.#tokens !== undefined && isTokenForm(credential) ? this.#tokens : undefined;
  }

  #refuse(
    { remoteAddress }: CallerRequest,
    credential: CallerCredential | undefined,
    error: unknown,
  ): never {
    if (!(error instanceof AuthError)) throw registryFault(error);
    // Who brings nothing has tried nothing.
    if (credential !== undefined) {
      this.#throttle?.failed(attemptKeys(remoteAddress, hashCallerKey(credential.text)));
    }
    const detail = error.message;
    throw new PullFault('caller-unauthenticated', 'caller-auth', { detail, cause: error });
  }

  /** Forgets what was looked up: the next request of each caller asks again. */
  clear(): void {
    this.#keys.clear();
    this.#tokens?.clear();
  }
}
