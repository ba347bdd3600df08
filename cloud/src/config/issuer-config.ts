import * as v from 'valibot';
import type { Grant } from '../registry/registry.ts';
import { issuerList } from './issuer-config-schema.ts';

/** An issuer whose JWTs this relay takes, and for what. */
export interface IssuerConfig {
  /** Exactly the `iss` of its tokens. */
  readonly issuer: string;
  /** Where its keys are; undefined: where its document says (OpenID Connect Discovery 1.0 §4). */
  readonly jwksUri?: string | undefined;
  /** The `aud` of tokens that are meant for this relay. */
  readonly audience: string;
  readonly algorithms: readonly string[];
  /** Undefined: its tokens speak for no device. */
  readonly agents?: IssuerAgentClaims | undefined;
  /** Undefined: its tokens are no caller's. */
  readonly callers?: IssuerCallerClaims | undefined;
}

/** Which claims say for what device a token speaks. */
export interface IssuerAgentClaims {
  readonly device: string;
  /** A token without this claim speaks for the instance `main`. */
  readonly instance: string;
  /** Of each label the claim that holds its value. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Which claims say who a caller is, and what that caller may. */
export interface IssuerCallerClaims {
  readonly name: string;
  readonly grants: readonly IssuerGrant[];
}

/** A grant for every token that has these claims; of a claim that is a list, one entry is the value. */
export interface IssuerGrant extends Grant {
  readonly when: Readonly<Record<string, ClaimValue>>;
}

export type ClaimValue = string | number | boolean;

export type ParsedIssuers =
  | { readonly issuers: readonly IssuerConfig[] }
  /** A line each: key, what is expected, and the value. */
  | { readonly mistakes: readonly string[] };

/** Reads the list of issuers as YAML or JSON gave it; none is an empty list. Never throws. */
export function parseIssuers(value: unknown): ParsedIssuers {
  if (value === undefined || value === null) return { issuers: [] };
  const parsed = v.safeParse(issuerList, value);
  if (!parsed.success) return { mistakes: parsed.issues.map(mistakeOf) };
  const issuers: readonly IssuerConfig[] = parsed.output;
  const names = issuers.map(({ issuer }) => issuer);
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  if (twice.length === 0) return { issuers };
  return { mistakes: twice.map((name) => `issuers: ${name} is there twice`) };
}

function mistakeOf(issue: v.BaseIssue<unknown>): string {
  const path = issue.path ?? [];
  const keys = path.map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  return `issuers${keys.join('')}: ${issue.message}${shown(issue.input)}`;
}

function shown(value: unknown): string {
  if (value === undefined || (typeof value === 'object' && value !== null)) return '';
  // What stands before an @ in a URL may be a password.
  const text = JSON.stringify(value).replace(/\/\/[^/]*@/, '//…@');
  return `: value was ${text.length <= 200 ? text : `${text.slice(0, 199)}…`}`;
}
