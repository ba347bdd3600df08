import { createHmac, randomBytes } from 'node:crypto';
import { channelToken } from '../../cloud/src/auth/channel-token.ts';
import { relayKeys } from '../../cloud/src/lambda/relay-secret.ts';
import type { AwsWorld } from '../../cloud/test/aws/aws-world.ts';

/** A token that a stranger tries at the handshake, and what it is. */
export interface ForgedToken {
  readonly name: string;
  make(aws: AwsWorld): Promise<string> | string;
}

const hour = 3_600_000;
const audienceOf = (aws: AwsWorld): string => new URL(aws.linkUrl).host;
const channelKeyOf = (aws: AwsWorld): Uint8Array => relayKeys(aws.secret).channel;

function claimsOf(aws: AwsWorld) {
  const iat = Math.floor(Date.now() / 1_000);
  const [iss, sub] = ['pullwire-relay', 'reply-channel'];
  return { iss, sub, aud: audienceOf(aws), iat, exp: iat + 60 };
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** HS256 (RFC 7515, RFC 7518 §3.2), by hand. */
function signed(aws: AwsWorld, claims: object): string {
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', channelKeyOf(aws)).update(text).digest('base64url')}`;
}

/** Tokens that look like a reply channel's, and are not. */
export const forgedTokens: readonly ForgedToken[] = [
  {
    name: 'signed with a key of its own',
    make: (aws) => channelToken(randomBytes(32), audienceOf(aws), Date.now()),
  },
  {
    name: 'signed with the relay’s secret itself, not with what is derived from it',
    make: (aws) => channelToken(Buffer.from(aws.secret), audienceOf(aws), Date.now()),
  },
  {
    name: 'signed with nothing (`alg: none`)',
    make: (aws) => `${part({ alg: 'none', typ: 'JWT' })}.${part(claimsOf(aws))}.`,
  },
  {
    name: 'for another relay',
    make: (aws) => channelToken(channelKeyOf(aws), 'relay.example', Date.now()),
  },
  {
    name: 'that has expired',
    make: (aws) => channelToken(channelKeyOf(aws), audienceOf(aws), Date.now() - 120_000),
  },
  {
    name: 'of an hour to come',
    make: (aws) => channelToken(channelKeyOf(aws), audienceOf(aws), Date.now() + hour),
  },
  {
    name: 'that would live for an hour',
    make: (aws) => {
      const { exp, ...claims } = claimsOf(aws);
      return signed(aws, { ...claims, iat: exp - 600, exp: exp + 3_600 });
    },
  },
  {
    name: 'for another purpose of the same key',
    make: (aws) => signed(aws, { ...claimsOf(aws), sub: 'operator' }),
  },
  { name: 'that is a caller’s key', make: (aws) => aws.addKey() },
];
