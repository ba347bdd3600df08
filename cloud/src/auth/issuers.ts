import { hash } from 'node:crypto';
import { devicePattern, instancePattern, PullFault } from '@pullwire/shared';
import type {
  ClaimValue,
  IssuerAgentClaims,
  IssuerCallerClaims,
  IssuerConfig,
} from '../config/issuer-config.ts';
import type { Grant } from '../registry/registry.ts';
import { AuthError } from './auth-error.ts';
import { type IssuerKeys, IssuerUnavailable } from './issuer-keys.ts';
import { type IssuerClaims, unverifiedIssuer, verifyIssuerToken } from './issuer-token.ts';

/** For what device an issuer's token speaks. */
export interface IssuerAgent {
  readonly issuer: string;
  readonly device: string;
  readonly instance: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** Which caller an issuer's token is. */
export interface IssuerCaller {
  /** The same for every token of this issuer and subject, and no key's id. */
  readonly id: string;
  readonly name: string;
  readonly grants: readonly Grant[];
  /** Epoch seconds. */
  readonly expiresAt: number;
}

export interface IssuersOptions {
  readonly issuers: readonly IssuerConfig[];
  /** The keys of one of them; asked once each. */
  keysOf(config: IssuerConfig): IssuerKeys;
}

interface Trusted {
  readonly config: IssuerConfig;
  readonly keys: IssuerKeys;
}

/** The issuers that this relay trusts. What a token says of its issuer chooses the keys, and nothing else. */
export class Issuers {
  readonly #trusted: ReadonlyMap<string, Trusted>;

  constructor({ issuers, keysOf }: IssuersOptions) {
    this.#trusted = new Map(
      issuers.map((config) => [config.issuer, { config, keys: keysOf(config) }]),
    );
  }

  /**
   * `now` in milliseconds. Undefined: the token names none of these issuers. Rejects with `AuthError` where it names one
   * and is not valid, and with `PullFault` `registry-unavailable` where the issuer's keys cannot be had.
   */
  async agent(token: string, now: number): Promise<IssuerAgent | undefined> {
    const trusted = this.#issuerOf(token);
    if (trusted === undefined) return undefined;
    const { issuer, agents } = trusted.config;
    if (agents === undefined) {
      throw new AuthError('device-unknown', 'the tokens of this issuer speak for no device');
    }
    return agentOf(issuer, agents, await claimsOf(token, trusted, now));
  }

  /** The same for a caller's token. */
  async caller(token: string, now: number): Promise<IssuerCaller | undefined> {
    const trusted = this.#issuerOf(token);
    if (trusted === undefined) return undefined;
    const { issuer, callers } = trusted.config;
    if (callers === undefined) {
      throw new AuthError('key-unknown', "the tokens of this issuer are no caller's");
    }
    return callerOf(issuer, callers, await claimsOf(token, trusted, now));
  }

  #issuerOf(token: string): Trusted | undefined {
    const issuer = unverifiedIssuer(token);
    return issuer === undefined ? undefined : this.#trusted.get(issuer);
  }
}

async function claimsOf(
  token: string,
  { config, keys }: Trusted,
  now: number,
): Promise<IssuerClaims> {
  try {
    return await verifyIssuerToken(token, config, keys, now);
  } catch (error) {
    throw error instanceof IssuerUnavailable ? unavailable(error) : error;
  }
}

/** To whoever asks it is the same as a registry that is down: the credential cannot be looked up now, a retry is safe. */
function unavailable(cause: IssuerUnavailable): PullFault {
  const { retryAfterMs } = cause;
  const detail = "the keys of the token's issuer cannot be read now";
  return new PullFault('registry-unavailable', 'caller-auth', { detail, retryAfterMs, cause });
}

function agentOf(issuer: string, names: IssuerAgentClaims, claims: IssuerClaims): IssuerAgent {
  const device = textOf(claims, names.device);
  const instance = textOf(claims, names.instance) ?? 'main';
  if (device === undefined || !devicePattern.test(device)) throw missing(names.device);
  if (!instancePattern.test(instance)) throw missing(names.instance);
  const labels: [string, string][] = [];
  for (const [label, name] of Object.entries(names.labels)) {
    const value = textOf(claims, name);
    if (value !== undefined) labels.push([label, value]);
  }
  return { issuer, device, instance, labels: Object.fromEntries(labels), expiresAt: claims.exp };
}

function callerOf(issuer: string, names: IssuerCallerClaims, claims: IssuerClaims): IssuerCaller {
  const subject = textOf(claims, 'sub');
  if (subject === undefined) throw missing('sub');
  const name = textOf(claims, names.name);
  if (name === undefined) throw missing(names.name);
  const grants = names.grants
    .filter(({ when }) => Object.entries(when).every(([claim, value]) => has(claims, claim, value)))
    .map(({ when: _, ...grant }) => grant);
  const id = `iss_${hash('sha256', JSON.stringify([issuer, subject]), 'base64url').slice(0, 22)}`;
  return { id, name, grants, expiresAt: claims.exp };
}

/** A claim that is a name or a label's value: a short text of visible characters, or undefined where it is absent. */
function textOf(claims: IssuerClaims, name: string): string | undefined {
  const value = own(claims, name);
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^[^\p{Cc}\p{Zl}\p{Zp}]{1,256}$/u.test(value))
    throw missing(name);
  return value;
}

function has(claims: IssuerClaims, name: string, wanted: ClaimValue): boolean {
  const value = own(claims, name);
  return Array.isArray(value) ? value.includes(wanted) : value === wanted;
}

function own(claims: IssuerClaims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

function missing(claim: string): AuthError {
  return new AuthError('token-malformed', `the claim "${claim}" is missing or not valid`);
}
