import { codecFor, type RelayMessage, type ReplyMessage } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, it } from 'vitest';
import { PostError, type PostErrorCode } from '../connection/poster.ts';
import type { LinkDescription, LinkRecord } from '../registry/registry.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { profile } from '../registry/registry-sample.ts';
import { mintReplyTo, replyToKey } from '../reply/reply-to.ts';
import { FrameReceiver } from './frame-receiver.ts';

const codec = codecFor('pullwire.v1+json');
const key = replyToKey('1', Buffer.alloc(32, 1));
const pullId = 'AAECAwQFBgcICQoLDA0ODw';
const otherPull = 'BBECAwQFBgcICQoLDA0ODw';
const link = {
  connectionId: 'c1',
  connectedAt: 0,
  identity: { device: 'plant-7', instance: 'main' },
};
const hello =
  '{"action":"hello","version":1,"agent":"a/1","device":"plant-7","instance":"main","sources":[],"labels":{},"features":[]}';

interface Bench {
  readonly said: string[];
  readonly posts: string[];
  readonly events: string[];
  receive(text: string): Promise<void>;
}

interface BenchOptions {
  readonly stored?: Partial<LinkRecord>;
  readonly answers?: PostErrorCode;
  /** All links of the device. */
  readonly links?: readonly Partial<LinkRecord>[];
  readonly rotationAsked?: boolean;
  readonly revokedAt?: number;
  /** The device has no more of its quota. */
  readonly held?: boolean;
  readonly storeFails?: Error;
}

function bench(options: BenchOptions = {}): Bench {
  const clock = new ManualClock();
  clock.advance(60_000);
  const posts: string[] = [];
  const said: string[] = [];
  const events: string[] = [];
  const stored = { connectionId: 'c1', ...options.stored } as LinkRecord;
  const { rotationAsked = false, revokedAt } = options;
  const device = { ...profile, ...(revokedAt !== undefined && { revokedAt }) };
  const from = { ...link, publicKey: 'ed25519:now', rotationAsked };
  const owns = (connectionId: string) => stored.connectionId === connectionId;
  const receiver = new FrameReceiver({
    clock,
    keys: [key],
    queue: { linked: async () => undefined, received: async () => undefined },
    registry: {
      describeLink: async (_device, _instance, connectionId, description: LinkDescription) => {
        said.push(`described ${description.agent}`);
        return owns(connectionId) ? { ...stored, ...description } : undefined;
      },
      drainLink: async (_device, _instance, _connectionId, at) => said.push(`drains ${at}`) > 0,
      closeLink: async (_device, _instance, _connectionId, { at, why }) =>
        said.push(`closed ${at} ${why}`) > 0,
      device: async () => ({ record: device, links: (options.links ?? []) as LinkRecord[] }),
    },
    rotation: {
      offer: async ({ device, publicKey: opener, hasOthers }, { publicKey }) => {
        said.push(`offered by ${device} ${opener}`);
        return {
          action: 'rotated',
          publicKey,
          ...(hasOthers ? { refused: 'other-instances' } : undefined),
        };
      },
    },
    readings: {
      receive: async (device, { batch, readings }) => {
        if (options.storeFails !== undefined) throw options.storeFails;
        if (options.held === true) return { action: 'held', batch, ...heldFor };
        said.push(`stores ${readings.length} of ${device}`);
        return { action: 'stored', batch };
      },
    },
    poster: {
      post: async (connectionId, text) => {
        if (options.answers !== undefined && connectionId === 'channel') {
          throw new PostError(options.answers, 'planted');
        }
        posts.push(`${connectionId} ${text}`);
      },
      disconnect: async (connectionId) => {
        posts.push(`${connectionId} closed`);
      },
    },
    terms: {
      relay: 'r/1',
      pulls: 8,
      heartbeat: { intervalMs: 300_000, timeoutMs: 10_000 },
      features: ['keep-alive'],
      lifeMs: 6_900_000,
    },
    events: {
      opened: () => events.push('opened'),
      ended: (_link, code) => events.push(`ended ${code}`),
      draining: () => events.push('draining'),
      stray: (_link, reason, action) => events.push(`stray ${action} ${reason}`),
      undelivered: (_link, error) => events.push(`undelivered ${error.code}`),
      ignored: (_link, name) => events.push(`ignored ${name}`),
      readings: (_link, count, answer) => {
        const refused = answer.action === 'stored' && `, refused ${answer.refused?.length ?? 0}`;
        events.push(`${answer.action} ${count}${refused || ''}`);
      },
      rotated: (_link, refused = 'noted') => events.push(`rotated ${refused}`),
    },
  });
  return { said, posts, events, receive: (text) => receiver.receive(from, text) };
}

function replyTo(over: { device?: string; expiresAt?: number; key?: typeof key } = {}): string {
  return mintReplyTo(over.key ?? key, {
    host: 'channel',
    pullId,
    device: over.device ?? 'plant-7',
    expiresAt: over.expiresAt ?? 100,
  });
}

const heldFor = { retryAfterMs: 900_000, code: 'quota-full', detail: 'd' };
const encode = (message: ReplyMessage | RelayMessage) => codec.encode(message) as string;
const end = (to: string, id = pullId) =>
  encode({ action: 'end', pullId: id, replyTo: to, seq: 1 } as ReplyMessage);

describe('a message of a link that a gateway holds', () => {
  it('hello is written down and welcomed, with what is left of the connection’s life', async () => {
    const b = bench();
    await b.receive(hello);
    expect(b.said).toEqual(['described a/1']);
    const [to, text] = [b.posts[0]?.slice(0, 3), b.posts[0]?.slice(3) ?? ''];
    expect([to, JSON.parse(text)]).toEqual([
      'c1 ',
      {
        action: 'welcome',
        version: 1,
        relay: 'r/1',
        limits: { frameBytes: 30_000, bodyBytes: 22_000, headBytes: 16_384, pulls: 8 },
        heartbeat: { intervalMs: 300_000, timeoutMs: 10_000 },
        endOfLifeMs: 7_200_000 - 300_000 - 60_000,
        features: ['keep-alive'],
      },
    ]);
    expect(b.events).toEqual(['opened']);
  });

  it('hello ends the link that was replaced, once this one is welcome', async () => {
    const b = bench({ stored: { replaces: 'c0' } });
    await b.receive(hello);
    expect(b.posts.map((post) => post.slice(0, 22))).toEqual([
      'c1 {"action":"welcome"',
      'c0 {"action":"bye","co',
      'c0 closed',
    ]);
  });

  it('hello leaves the link alone that it succeeds: its agent ends that when its pulls have ended', async () => {
    const ofRun = (run: string) => hello.replace('"features":[]', `"features":[],"run":"${run}"`);
    const told = async (text: string, replacesRun: string) => {
      const b = bench({ stored: { replaces: 'c0', replacesRun } });
      await b.receive(text);
      return b.posts.some((post) => post.startsWith('c0 '));
    };
    const [one, other] = ['a'.repeat(16), 'b'.repeat(16)];
    expect(await told(ofRun(one), one)).toBe(false);
    expect(await told(ofRun(other), one)).toBe(true);
    expect(await told(hello, one)).toBe(true);
  });

  it('a hello is followed by the wish for another key where the operator had one, and the agent can', async () => {
    const able = hello.replace('"features":[]', '"features":["rotate"]');
    const posts = async (rotationAsked: boolean, text: string) => {
      const b = bench({ rotationAsked });
      await b.receive(text);
      return b.posts.map((post) => (JSON.parse(post.slice(3)) as { action: string }).action);
    };
    expect(await posts(true, able)).toEqual(['welcome', 'rotate']);
    expect(await posts(false, able)).toEqual(['welcome']);
    expect(await posts(true, hello)).toEqual(['welcome']);
  });

  it.each([
    ['is the only one', [{ instance: 'main', expiresAt: 99 }], undefined],
    ['is beside one that ended', [{ instance: 'spare', closedAt: 5, expiresAt: 99 }], undefined],
    ['is beside one that expired', [{ instance: 'spare', expiresAt: 60 }], undefined],
    ['shares the key with another', [{ instance: 'spare', expiresAt: 61 }], 'other-instances'],
  ])('a key that is offered by an instance that %s is answered', async (_name, links, refused) => {
    const b = bench({ links });
    const publicKey = `ed25519:${'A'.repeat(43)}`;
    await b.receive(codec.encode({ action: 'rotate', publicKey, proof: 'p' }) as string);
    const rotated = { action: 'rotated', publicKey, ...(refused && { refused }) };
    expect(b.posts.map((post) => JSON.parse(post.slice(3)))).toEqual([rotated]);
    expect(b.said).toEqual(['offered by plant-7 ed25519:now']);
    expect(b.events).toEqual([`rotated ${refused ?? 'noted'}`]);
  });

  describe('a batch of readings', () => {
    const batch = codec.encode({
      action: 'reading',
      batch: 7,
      readings: [
        {
          ...{ schedule: 's', at: 1, source: 'm', path: '/', ms: 1, length: 1 },
          ...{ status: 200, headers: [] },
        },
      ],
      body: Buffer.from('x'),
    }) as string;
    const greeted = { instance: 'main', connectionId: 'c1', agent: 'a/1' };

    it.each([
      ['this link', [greeted]],
      ['a newer link that has this one before it', [{ ...greeted, connectionId: 'c2' }]],
      ['none', []],
    ])('is stored and said to be where the registry has %s', async (_name, links) => {
      const b = bench({ links });
      await b.receive(batch);
      expect(b.said).toEqual(['stores 1 of plant-7']);
      expect(b.posts).toEqual(['c1 {"action":"stored","batch":7}']);
      expect(b.events).toEqual(['stored 1, refused 0']);
    });

    it.each([
      ['said to an agent that knows the word', ['hold'], ['c1 {"action":"held","batch":7,"ms"}']],
      ['not answered to another', [], []],
    ])('that is to come later is %s', async (_name, features, posts) => {
      const b = bench({ links: [{ ...greeted, features }], held: true });
      await b.receive(batch);
      const said = b.posts.map((post) => post.replace(/"retryAfterMs".*/, '"ms"}'));
      expect([said, b.events]).toEqual([posts, ['held 1']]);
    });

    it('before hello ends the link', async () => {
      const b = bench({ links: [{ ...greeted, agent: '' }] });
      await b.receive(batch);
      expect(b.said).toEqual(['closed 60000 protocol-error']);
      expect(b.events).toEqual(['ended protocol-error']);
    });

    it('of a device that was revoked is not stored, and ends the link', async () => {
      const b = bench({ links: [greeted], revokedAt: 5 });
      await b.receive(batch);
      expect(b.said).toEqual(['closed 60000 revoked']);
      expect(b.events).toEqual(['ended revoked']);
    });

    it('that cannot be stored is not said to be: the agent sends it again', async () => {
      const storeFails = new RegistryError('unavailable', 'planted');
      const b = bench({ links: [greeted], storeFails });
      await expect(b.receive(batch)).rejects.toBe(storeFails);
      expect(b.posts).toEqual([]);
    });
  });

  it.each([
    ['a hello of a link that was replaced', hello, { connectionId: 'c2' }, 'replaced'],
    ['another device', hello.replace('plant-7', 'plant-8'), {}, 'device-mismatch'],
    ['another instance', hello.replace('main', 'spare'), {}, 'device-mismatch'],
    ['another version', hello.replace('1,', '2,'), {}, 'unsupported-version'],
    ['what is no message', '{"action":"head"}', {}, 'protocol-error'],
    ['what is no JSON', 'x', {}, 'protocol-error'],
    ['what is too large', `{"action":"${'x'.repeat(30_000)}"}`, {}, 'too-large'],
  ])('%s ends the link with a reason', async (_name, text, stored, code) => {
    const b = bench({ stored });
    await b.receive(text);
    expect(b.posts.length).toBe(2);
    expect(JSON.parse(b.posts[0]?.slice(3) ?? '')).toMatchObject({ action: 'bye', code });
    expect(b.posts[1]).toBe('c1 closed');
    expect([b.events, b.said.at(-1)]).toEqual([[`ended ${code}`], `closed 60000 ${code}`]);
  });

  it('a reply frame goes on as it came', async () => {
    const b = bench();
    const text = ` ${end(replyTo())} `;
    await b.receive(text);
    expect([b.posts, b.events]).toEqual([[`channel ${text}`], []]);
  });

  it.each([
    ['forged', end(replyTo({ key: replyToKey('1', Buffer.alloc(32, 2)) })), 'forged'],
    [
      'signed by an unknown key',
      end(replyTo({ key: replyToKey('2', Buffer.alloc(32)) })),
      'unknown-key',
    ],
    ['expired', end(replyTo({ expiresAt: 60 })), 'expired'],
    ['made up', end('r1'), 'malformed'],
    ['of another device', end(replyTo({ device: 'plant-8' })), 'foreign-device'],
    ['of another pull', end(replyTo(), otherPull), 'foreign-pull'],
  ])('a replyTo that is %s goes nowhere, and the link stays', async (_name, text, reason) => {
    const b = bench();
    await b.receive(text);
    expect([b.posts, b.events]).toEqual([[], [`stray end ${reason}`]]);
  });

  it.each(['gone', 'full'] as const)(
    'a reply channel that is %s cancels the pull',
    async (code) => {
      const b = bench({ answers: code });
      await b.receive(end(replyTo()));
      expect(b.posts).toEqual([`c1 ${encode({ action: 'cancel', pullId, reason: 'relay' })}`]);
      expect(b.events).toEqual([`undelivered ${code}`]);
    },
  );

  it('drain, bye, keep-alive and what is unknown', async () => {
    const b = bench();
    await b.receive('{"action":"drain"}');
    await b.receive('{"action":"keep-alive"}');
    await b.receive('{"action":"wave"}');
    await b.receive('{"action":"bye","code":"drained"}');
    expect(b.said).toEqual(['drains 60000', 'closed 60000 drained']);
    expect(b.posts).toEqual(['c1 {"action":"kept-alive","connectionId":"c1"}', 'c1 closed']);
    expect(b.events).toEqual(['draining', 'ignored wave', 'ended drained']);
  });
});
