import { describe, expect, it } from 'vitest';
import type { AuthenticatedAgent } from '../auth/agent-auth.ts';
import { agentContext, agentOf } from './agent-context.ts';
import type { AuthorizerContext } from './event.ts';

const publicKey = `ed25519:${'A'.repeat(43)}`;

function agent(
  identity: Partial<AuthenticatedAgent['identity']> = {},
  record: Partial<AuthenticatedAgent['record']> = {},
): AuthenticatedAgent {
  return {
    identity: {
      device: 'plant-7',
      instance: 'main',
      keyId: 'k',
      publicKey,
      signedBy: 'key',
      tokenId: 'jti',
      expiresAt: 300,
      ...identity,
    },
    record: { device: 'plant-7', publicKey, labels: {}, createdAt: 5, ...record },
  };
}

const asText = (context: AuthorizerContext): AuthorizerContext =>
  Object.fromEntries(Object.entries(context).map(([key, value]) => [key, String(value)]));

describe('what the authorizer says of an agent', () => {
  const issuer = 'issuer:https://login.example.com';
  it.each([
    ['with its key', agent()],
    ['with its next key', agent({ signedBy: 'next-key' })],
    [
      'with an issuer’s token',
      agent(
        { signedBy: 'issuer', publicKey: issuer, tokenId: undefined },
        { publicKey: issuer, labels: { site: 'nörd' } },
      ),
    ],
  ])('is read again by $connect, also where all of it comes as text: %s', (_name, said) => {
    const context = agentContext(said);
    expect(Object.values(context).every((value) => typeof value !== 'object')).toBe(true);
    expect(agentOf(context)).toEqual(said);
    expect(agentOf(asText(context))).toEqual(said);
  });

  it('leaves out the operator’s labels, which can be long', () => {
    expect(agentContext(agent({}, { labels: { site: 'north' } }))).not.toHaveProperty('labels');
  });

  it('has the wish for another key, until the next one is used', () => {
    const asked = { rotationAskedAt: 9 };
    expect(agentContext(agent({}, asked))).toMatchObject({ rotationAsked: true });
    const used = agentContext(agent({ signedBy: 'next-key' }, asked));
    expect(used).not.toHaveProperty('rotationAsked');
  });

  it.each(['device', 'instance', 'keyId', 'publicKey', 'signedBy', 'expiresAt', 'createdAt'])(
    'is not believed without %s',
    (name) => {
      const { [name]: _, ...rest } = agentContext(agent());
      expect(() => agentOf(rest)).toThrow(`no ${name}`);
    },
  );
});
