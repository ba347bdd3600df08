import { PullFault } from '@pullwire/shared';
import { describe, expect, it } from 'vitest';
import type { AuthenticatedAgent } from '../auth/agent-auth.ts';
import type { LinkRecord } from '../registry/registry.ts';
import { hello } from '../registry/registry-sample.ts';
import { createConnect } from './connect.ts';
import { ownerOf } from './connection-owner.ts';
import { createDisconnect } from './disconnect.ts';
import type { AuthorizerContext, WebSocketRequestContext } from './event.ts';
import { createMessage } from './message.ts';

const publicKey = `ed25519:${'A'.repeat(43)}`;
/** As a gateway may hand it back: all of it text. */
const agent = {
  role: 'agent',
  device: 'plant-7',
  instance: 'main',
  keyId: 'k',
  publicKey,
  signedBy: 'key',
  expiresAt: '300',
  createdAt: '5',
  tokenId: 'jti-1',
};

function context(
  authorizer: AuthorizerContext | undefined,
  more: Partial<WebSocketRequestContext> = {},
): WebSocketRequestContext {
  return {
    routeKey: '$default',
    eventType: 'MESSAGE',
    connectionId: 'c1=',
    connectedAt: 1_000,
    requestTimeEpoch: 5_000,
    requestId: 'r',
    stage: 'live',
    domainName: 'd',
    apiId: 'a',
    ...(authorizer === undefined ? undefined : { authorizer }),
    ...more,
  };
}

const event = (authorizer: AuthorizerContext | undefined, more = {}) => ({
  requestContext: context(authorizer, more),
  isBase64Encoded: false,
});

describe('whose a connection is', () => {
  it('is what the authorizer said at the handshake', () => {
    const link = {
      connectionId: 'c1=',
      connectedAt: 1_000,
      identity: { device: 'plant-7', instance: 'main' },
    };
    const withKey = { ...link, publicKey };
    expect(ownerOf(context(agent))).toEqual({ role: 'agent', link: withKey });
    for (const rotationAsked of [true, 'true']) {
      const asked = ownerOf(context({ ...agent, rotationAsked }));
      expect(asked).toEqual({ role: 'agent', link: { ...withKey, rotationAsked: true } });
    }
    const byIssuer = { ...agent, publicKey: 'issuer:https://login.example.com' };
    expect(ownerOf(context(byIssuer))).toEqual({ role: 'agent', link });
    expect(ownerOf(context({ role: 'channel' }))).toEqual({ role: 'channel' });
  });

  it.each([
    ['nothing', undefined],
    ['an empty context', {}],
    ['another role', { ...agent, role: 'operator' }],
    ['no device', { role: 'agent', instance: 'main' }],
    ['a device that none can be', { ...agent, device: 'a b' }],
    ['an instance that none can be', { ...agent, instance: '' }],
  ])('is nobody’s where the authorizer said %s', (_name, said) => {
    expect(() => ownerOf(context(said))).toThrow('is $connect authorized?');
  });
});

describe('$connect', () => {
  function bench(stored?: LinkRecord, refusal?: Error) {
    const written: LinkRecord[] = [];
    const admitted: AuthenticatedAgent[] = [];
    const refusals: string[] = [];
    const connect = createConnect({
      registry: {
        link: async () => stored,
        replaceLink: async (_before, link) => written.push(link) > 0,
      },
      admission: {
        admit: async (agent) => {
          admitted.push(agent);
          if (refusal !== undefined) throw refusal;
          return agent.record;
        },
      },
      opened: () => undefined,
      refused: (_link, why) => refusals.push(why),
    });
    return { written, admitted, refusals, connect };
  }

  it('writes an agent’s link before it answers', async () => {
    const b = bench();
    expect(await b.connect(event(agent))).toEqual({ statusCode: 200 });
    expect(b.written).toMatchObject([
      { device: 'plant-7', instance: 'main', connectionId: 'c1=', connectedAt: 1_000 },
    ]);
  });

  it('admits the agent that the authorizer let through, as it said', async () => {
    const b = bench();
    await b.connect(event(agent));
    expect(b.admitted).toEqual([
      {
        identity: {
          device: 'plant-7',
          instance: 'main',
          keyId: 'k',
          publicKey,
          signedBy: 'key',
          tokenId: 'jti-1',
          expiresAt: 300,
        },
        record: { device: 'plant-7', publicKey, labels: {}, createdAt: 5 },
      },
    ]);
  });

  it('writes nothing for an agent that is not admitted, and answers with the status', async () => {
    const replayed = new PullFault('link-unauthenticated', 'caller-auth', { detail: 'replayed' });
    const b = bench(undefined, replayed);
    expect(await b.connect(event(agent))).toEqual({ statusCode: 401 });
    expect([b.written, b.refusals]).toEqual([[], ['replayed']]);
    await expect(bench(undefined, new Error('x')).connect(event(agent))).rejects.toThrow('x');
  });

  it('picks the one subprotocol that a gateway can carry, whatever the case of the header', async () => {
    const headers = { 'sec-websocket-PROTOCOL': 'pullwire.v1+bin, pullwire.v1+json' };
    expect(await bench().connect({ ...event(agent), headers })).toEqual({
      statusCode: 200,
      headers: { 'Sec-WebSocket-Protocol': 'pullwire.v1+json' },
    });
  });

  it('refuses an agent that speaks nothing a gateway can carry', async () => {
    const b = bench();
    const headers = { 'Sec-WebSocket-Protocol': 'pullwire.v1+bin' };
    expect(await b.connect({ ...event(agent), headers })).toMatchObject({ statusCode: 426 });
    expect([b.written.length, b.refusals.length]).toEqual([0, 1]);
  });

  it('sends away a link that is older than the one that is there', async () => {
    const b = bench({ ...hello, connectionId: 'c0=', connectedAt: 1_001 } as LinkRecord);
    expect(await b.connect(event(agent))).toMatchObject({
      statusCode: 503,
      headers: { 'Retry-After': '5' },
    });
    expect(b.refusals).toEqual(['a newer link of this instance is open']);
  });

  it('writes nothing for a reply channel', async () => {
    const b = bench();
    expect(await b.connect(event({ role: 'channel' }))).toEqual({ statusCode: 200 });
    expect(b.written).toEqual([]);
  });
});

describe('$disconnect', () => {
  it.each([
    [1006, 'link-lost'],
    [undefined, 'link-lost'],
    [1001, 'closed-1001'],
  ])('with status %s writes the last word %s, once', async (disconnectStatusCode, why) => {
    const words: unknown[] = [];
    const closed: string[] = [];
    const disconnect = createDisconnect({
      registry: { closeLink: async (...word) => words.push(word) === 1 },
      closed: (_link, reason) => closed.push(reason),
    });
    await disconnect(event(agent, { disconnectStatusCode }));
    await disconnect(event(agent, { disconnectStatusCode }));
    await disconnect(event({ role: 'channel' }));
    expect(words).toEqual(Array(2).fill(['plant-7', 'main', 'c1=', { at: 5_000, why }]));
    expect(closed).toEqual([why]);
  });
});

describe('$default', () => {
  it('hands on what an agent says, and nothing that a channel says', async () => {
    const said: string[] = [];
    const message = createMessage({
      receiver: {
        receive: async (link, text) => {
          said.push(`${link.identity.device} ${text}`);
        },
      },
      fromChannel: () => said.push('channel'),
    });
    expect(await message({ ...event(agent), body: '{}' })).toEqual({ statusCode: 200 });
    await message(event(agent));
    await message({ ...event({ role: 'channel' }), body: '{}' });
    expect(said).toEqual(['plant-7 {}', 'plant-7 ', 'channel']);
  });
});
