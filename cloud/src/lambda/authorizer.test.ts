import { PullFault } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, it } from 'vitest';
import { createAuthorizer } from './authorizer.ts';
import type { AuthorizerEvent } from './event.ts';

const publicKey = `ed25519:${'A'.repeat(43)}`;
const identity = {
  device: 'plant-7',
  instance: 'main',
  keyId: 'k',
  publicKey,
  signedBy: 'key',
  tokenId: 'jti',
  expiresAt: 300,
} as const;
const record = { device: 'plant-7', publicKey, labels: {}, createdAt: 5 };
// A cast, since the request's context is empty: the authorizer does not read it.
const event = {
  type: 'REQUEST',
  methodArn: 'arn:aws:execute-api:x:1:a/live/$connect',
  headers: { Authorization: 'Bearer token' },
  requestContext: {},
} as unknown as AuthorizerEvent;

function ask(answer: unknown) {
  const refusals: string[] = [];
  const authorize = createAuthorizer({
    agents: {
      authenticate: async () => {
        if (answer instanceof Error) throw answer;
        return answer as never;
      },
    },
    channelKey: new Uint8Array(32),
    audience: 'relay',
    tokenInQuery: false,
    clock: new ManualClock(),
    refused: (code, detail) => refusals.push(`${code}: ${detail}`),
  });
  return { refusals, answer: authorize(event) };
}

const fault = (code: 'link-unauthenticated' | 'device-revoked' | 'registry-unavailable') =>
  new PullFault(code, 'caller-auth', { detail: 'why' });

describe('the authorizer', () => {
  it('lets an agent through, and tells the other functions whose the link is', async () => {
    expect(await ask({ identity, record }).answer).toMatchObject({
      principalId: 'plant-7',
      policyDocument: { Statement: [{ Effect: 'Allow', Resource: event.methodArn }] },
      context: { role: 'agent', device: 'plant-7', publicKey, signedBy: 'key', tokenId: 'jti' },
    });
  });

  it('denies a device that was revoked, which API Gateway answers with 403', async () => {
    const { answer, refusals } = ask(fault('device-revoked'));
    const { policyDocument, context } = await answer;
    expect([policyDocument.Statement[0]?.Effect, context]).toEqual(['Deny', {}]);
    expect(refusals).toEqual(['device-revoked: why']);
  });

  it('throws the one error that is a 401 at anybody else', async () => {
    const { answer, refusals } = ask(fault('link-unauthenticated'));
    await expect(answer).rejects.toThrow(/^Unauthorized$/);
    expect(refusals).toEqual(['link-unauthenticated: why']);
  });

  it('fails where the registry does: the agent dials again', async () => {
    const { answer, refusals } = ask(fault('registry-unavailable'));
    await expect(answer).rejects.toThrow('why');
    expect(refusals).toEqual([]);
  });

  it('refuses labels that its answer has no room for', async () => {
    const labels = Object.fromEntries(
      [...'abcdefghijklmnopqrstuvwx'].map((l) => [l, l.repeat(256)]),
    );
    const long = { identity: { ...identity, signedBy: 'issuer' }, record: { ...record, labels } };
    const { answer, refusals } = ask(long);
    await expect(answer).rejects.toThrow(/^Unauthorized$/);
    expect(refusals).toEqual([
      'link-unauthenticated: the labels in the token are too long for this relay',
    ]);
  });
});
