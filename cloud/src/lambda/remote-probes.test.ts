import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, test } from 'vitest';
import { PostError } from '../connection/poster.ts';
import { hello, link } from '../registry/registry-sample.ts';
import { RemoteProbes } from './remote-probes.ts';

const probe = { action: 'probe', pullId: 'AAECAwQFBgcICQoLDA0ODw', replyTo: 'r1' } as const;
const greeted = link({ ...hello, features: ['probe'] });

function world(post: (connectionId: string, text: string) => Promise<void> = async () => {}) {
  const closed: unknown[] = [];
  const did: string[] = [];
  const probes = new RemoteProbes({
    registry: {
      closeLink: async (...args) => {
        closed.push(args);
        return true;
      },
    },
    poster: {
      post: (connectionId, text) => {
        did.push(`post ${connectionId} ${text}`);
        return post(connectionId, text);
      },
      disconnect: async () => undefined,
    },
    channel: {
      ready: async () => {
        did.push('ready');
        return 'c9';
      },
      prove: async () => {
        did.push('prove');
      },
    },
    clock: new ManualClock(),
    gone: ({ connectionId }) => did.push(`gone ${connectionId}`),
  });
  return { probes, closed, did };
}

const refused = (code: 'gone' | 'full') => async () => {
  throw new PostError(code, code);
};

test('the way back is proven before the link is asked', async () => {
  const { probes, did } = world();
  await probes.ready();
  expect(await probes.ask(greeted, probe)).toBe('asked');
  expect(did).toEqual(['ready', 'prove', `post c-1 ${JSON.stringify(probe)}`]);
});

test('a post that finds the connection gone is the last word of the link', async () => {
  const { probes, closed, did } = world(refused('gone'));
  expect(await probes.ask(greeted, probe)).toBe('gone');
  expect(closed).toEqual([['plant-7', 'main', 'c-1', { at: 0, why: 'gone' }]]);
  expect(did.at(-1)).toBe('gone c-1');
});

test('a post that fails otherwise says nothing of the link', async () => {
  const { probes, closed } = world(refused('full'));
  expect(await probes.ask(greeted, probe)).toBe('not-asked');
  expect(closed).toEqual([]);
});

test('an agent that does not know probes, or has not said hello yet, is not asked', async () => {
  const { probes, did } = world();
  expect(await probes.ask(link({ ...hello, features: [] }), probe)).toBe('unsupported');
  expect(await probes.ask(link(), probe)).toBe('not-asked');
  expect(did).toEqual([]);
});
