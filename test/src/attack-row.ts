import { readFileSync } from 'node:fs';

/** Seconds from now; `null`: the claim is left out. */
type RelativeTime = number | null;

/** How a token is made: what is not said is as an honest signer does it. */
export interface TokenRecipe {
  /** Whose private key signs: a device of the stage, an issuer's, or a stranger's. */
  readonly key: string;
  readonly alg?: 'EdDSA' | 'RS256' | 'ES256' | 'none' | 'HS256';
  /** With HS256: what stands for the secret. */
  readonly secret?: 'public-text' | 'public-pem' | 'public-raw' | 'empty';
  readonly header?: Readonly<Record<string, unknown>>;
  /** `iat`, `exp` and `nbf` are relative to now; `null` leaves a claim out. */
  readonly claims?: Readonly<Record<string, unknown>> & {
    readonly iat?: RelativeTime;
    readonly exp?: RelativeTime;
    readonly nbf?: RelativeTime;
  };
  /** What is done to the token once it is signed. */
  readonly then?: 'no-signature' | 'other-payload' | 'other-header' | 'cut' | 'twice' | 'padded';
}

interface Row {
  readonly name: string;
  /** What an attacker would gain, or the page that names it. */
  readonly why: string;
}

/** A handshake at `/link`. */
export interface LinkAttack extends Row {
  readonly at: 'link';
  readonly token?: TokenRecipe;
  /** A credential of the stage in the token's place, such as `{key:full}`. */
  readonly credential?: string;
  /** Where it stands; in `Authorization: Bearer` unless told. */
  readonly by?: 'query' | 'subprotocol' | 'basic' | 'cookie' | 'pullwire-key';
  readonly status: number | readonly number[];
}

/** A request of a caller; `{key:narrow}` and the like stand for credentials of the stage. */
export interface HttpAttack extends Row {
  readonly at: 'http';
  readonly method?: string;
  readonly path: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly token?: TokenRecipe;
  readonly body?: string;
  readonly status: number | readonly number[];
  readonly code?: string;
}

/** Frames on a link of the device `mallory`, which is honestly linked. */
export interface FrameAttack extends Row {
  readonly at: 'frame';
  readonly hello?: Readonly<Record<string, unknown>>;
  /** `{pull}` and `{replyTo}`: of the pull that waits at the victim. */
  readonly frames?: readonly Readonly<Record<string, unknown>>[];
  /** The code of the `bye` that ends the link; absent: the link goes on. */
  readonly bye?: string;
}

/** A `POST /enroll`. */
export interface EnrollAttack extends Row {
  readonly at: 'enroll';
  readonly code:
    | 'wrong'
    | 'spent'
    | 'expired'
    | 'removed'
    | 'good'
    | 'bound'
    | 'caller-key'
    | 'cut';
  readonly device?: string;
  readonly proof?: 'good' | 'none' | 'stranger' | 'other-code' | 'rotation' | 'handshake';
  readonly publicKey?: 'good' | 'rsa' | 'short' | 'of-plant-7';
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly status: number;
}

/** What reaches the upstream although, or because, somebody tried. */
export interface UpstreamAttack extends Row {
  readonly at: 'upstream';
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Header names that the upstream must not see. */
  readonly hidden: readonly string[];
}

export type AttackRow = LinkAttack | HttpAttack | FrameAttack | EnrollAttack | UpstreamAttack;

export const attacks = JSON.parse(
  readFileSync(new URL('../data/attacks.json', import.meta.url), 'utf8'),
) as readonly AttackRow[];

export function attacksAt<A extends AttackRow['at']>(at: A): Extract<AttackRow, { at: A }>[] {
  return attacks.filter((row) => row.at === at) as Extract<AttackRow, { at: A }>[];
}
