import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto';
import type { TokenRecipe } from './attack-row.ts';

/** Keys by their names in the table: devices' and strangers' are Ed25519, the issuer's RSA and P-256. */
export class AttackKeys {
  readonly #keys = new Map<string, KeyObject>([
    ['stranger', generateKeyPairSync('ed25519').privateKey],
    ['stranger-rsa', generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey],
    ['issuer', generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey],
    ['issuer-es', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
  ]);

  add(name: string, key: KeyObject): void {
    this.#keys.set(name, key);
  }

  of(name: string): KeyObject {
    const key = this.#keys.get(name);
    if (key === undefined) throw new Error(`the stage has no key ${name}`);
    return key;
  }

  /** `ed25519:…` of a device's key. */
  publicText(name: string): string {
    return `ed25519:${createPublicKey(this.of(name)).export({ format: 'jwk' }).x}`;
  }

  /** Every private key as text, in the forms that it could leak in. */
  get secrets(): string[] {
    return [...this.#keys.values()].flatMap((key) => {
      const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
      const inner = pem.split('\n').slice(1, -2).join('');
      return [inner, Buffer.from(inner, 'base64').subarray(-32).toString('base64url')];
    });
  }
}

const kids: Readonly<Record<string, string>> = { issuer: 'issuer-1', 'issuer-es': 'issuer-es' };
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * A JWT by RFC 7515 and RFC 7519 alone, none of our code. What the recipe does not say is as an agent, or the issuer,
 * does it. `fill` puts the stage's names into texts.
 */
export function attackToken(
  recipe: TokenRecipe,
  keys: AttackKeys,
  fill: (text: string) => string,
): string {
  const filled = JSON.parse(fillDeep(JSON.stringify(recipe), fill)) as TokenRecipe;
  const header = { ...headerOf(filled), ...filled.header };
  const signed = `${part(header)}.${part(claimsOf(filled, fill))}`;
  return afterwards(`${signed}.${signature(filled, signed, keys)}`, filled, keys);
}

function fillDeep(json: string, fill: (text: string) => string): string {
  return json
    .replace(/"\{jwk:stranger\}"/, () => fill('{jwk:stranger}'))
    .replace(/\{[a-zA-Z]+(:[a-z0-9-]+)*\}/g, fill);
}

function headerOf({ key, alg = 'EdDSA' }: TokenRecipe): Record<string, unknown> {
  const kid = kids[key];
  return { alg, typ: 'JWT', ...(kid === undefined ? {} : { kid }) };
}

function claimsOf({ key, claims = {} }: TokenRecipe, fill: (text: string) => string): object {
  const now = Math.floor(Date.now() / 1_000);
  const { iat = 0, exp = 120, nbf, ...rest } = claims;
  const named = (name: string, offset: number | null): object =>
    offset === null ? {} : { [name]: now + offset };
  const all: Record<string, unknown> = {
    ...(key in kids ? {} : { sub: key, inst: 'main', aud: fill('{audience}') }),
    jti: randomUUID(),
    ...named('iat', iat),
    ...named('exp', exp),
    ...named('nbf', nbf ?? null),
    ...rest,
  };
  if ('exp_text' in all) {
    all['exp'] = String(all['exp']);
    delete all['exp_text'];
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

function signature(recipe: TokenRecipe, text: string, keys: AttackKeys): string {
  const key = keys.of(recipe.key);
  switch (recipe.alg ?? 'EdDSA') {
    case 'none':
      return '';
    case 'EdDSA':
      return sign(null, Buffer.from(text), key).toString('base64url');
    case 'RS256':
      return sign('sha256', Buffer.from(text), key).toString('base64url');
    case 'ES256':
      return sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString(
        'base64url',
      );
    case 'HS256':
      return createHmac('sha256', secretOf(recipe, keys)).update(text).digest('base64url');
  }
}

function secretOf({ key, secret }: TokenRecipe, keys: AttackKeys): string | Buffer {
  const publicKey = createPublicKey(keys.of(key));
  switch (secret) {
    case 'public-text':
      return keys.publicText(key);
    case 'public-pem':
      return publicKey.export({ type: 'spki', format: 'pem' });
    case 'public-raw':
      return Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    default:
      return '';
  }
}

function afterwards(token: string, { then }: TokenRecipe, keys: AttackKeys): string {
  const [header = '', payload = '', mac = ''] = token.split('.');
  const change = (text: string, more: object): string =>
    part({ ...(JSON.parse(Buffer.from(text, 'base64url').toString()) as object), ...more });
  switch (then) {
    case 'no-signature':
      return `${header}.${payload}.`;
    case 'other-payload':
      return `${header}.${change(payload, { inst: 'spare' })}.${mac}`;
    case 'other-header':
      return `${change(header, { kid: keys.publicText('stranger') })}.${payload}.${mac}`;
    case 'cut':
      return token.slice(0, token.length / 2);
    case 'twice':
      return `${token},${token}`;
    case 'padded':
      return `${token}==`;
    default:
      return token;
  }
}
