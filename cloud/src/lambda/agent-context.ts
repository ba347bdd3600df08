import type { AuthenticatedAgent } from '../auth/agent-auth.ts';
import type { AgentIdentity } from '../auth/agent-token.ts';
import type { AuthorizerContext } from './event.ts';

const signers = ['key', 'next-key', 'issuer'] as const satisfies AgentIdentity['signedBy'][];

/**
 * What `$connect` and every message have to know of the agent that dialled, as the authorizer's context: texts, numbers
 * and booleans, of which the latter two may come back as text. Labels are those of an issuer's token; the operator's stay
 * in the registry.
 */
export function agentContext({ identity, record }: AuthenticatedAgent): AuthorizerContext {
  const { device, instance, keyId, publicKey, signedBy, expiresAt, tokenId } = identity;
  const { createdAt, labels, rotationAskedAt } = record;
  return {
    role: 'agent',
    device,
    instance,
    keyId,
    publicKey,
    signedBy,
    expiresAt,
    createdAt,
    ...(tokenId === undefined ? undefined : { tokenId }),
    ...(signedBy === 'issuer' ? { labels: JSON.stringify(labels) } : undefined),
    // A handshake with the next key is what the operator asked for.
    ...(signedBy === 'key' && rotationAskedAt !== undefined ? { rotationAsked: true } : undefined),
  };
}

/**
 * The agent again, as far as its admission needs it.
 *
 * @throws Error where the context is not one of `agentContext`: an authorizer of an older release wrote it.
 */
export function agentOf(context: AuthorizerContext): AuthenticatedAgent {
  const { labels = '{}', tokenId } = context;
  const signedBy = signers.find((signer) => signer === context['signedBy']);
  if (signedBy === undefined) throw incomplete('signedBy');
  const device = textOf(context, 'device');
  const publicKey = textOf(context, 'publicKey');
  return {
    identity: {
      device,
      instance: textOf(context, 'instance'),
      keyId: textOf(context, 'keyId'),
      publicKey,
      signedBy,
      tokenId: tokenId === undefined ? undefined : String(tokenId),
      expiresAt: numberOf(context, 'expiresAt'),
    },
    record: {
      device,
      publicKey,
      labels: JSON.parse(String(labels)) as Record<string, string>,
      createdAt: numberOf(context, 'createdAt'),
    },
  };
}

function textOf(context: AuthorizerContext, name: string): string {
  const value = context[name];
  if (typeof value !== 'string') throw incomplete(name);
  return value;
}

function numberOf(context: AuthorizerContext, name: string): number {
  const value = Number(context[name]);
  if (!Number.isSafeInteger(value)) throw incomplete(name);
  return value;
}

function incomplete(name: string): Error {
  return new Error(
    `the authorizer's context has no ${name}: were the functions deployed together?`,
  );
}
