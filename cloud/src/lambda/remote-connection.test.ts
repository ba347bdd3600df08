import { Buffer } from 'node:buffer';
import type { Pull, PullFault } from '@pullwire/shared';
import { describe, expect, it } from 'vitest';
import { PostError, type PostErrorCode } from '../connection/poster.ts';
import { PendingWork } from './pending-work.ts';
import { RemoteConnection } from './remote-connection.ts';

const pullId = 'AAECAwQFBgcICQoLDA0ODw';
const pull: Pull = {
  action: 'pull',
  pullId,
  replyTo: 'r1',
  seq: 0,
  source: 'metrics',
  method: 'GET',
  path: '/',
  headers: [],
  deadlineMs: 1_000,
  credit: 88_000,
  caller: 'ops',
  end: true,
};

function bench(answers: readonly (PostErrorCode | undefined)[], resends = true) {
  const posts: string[] = [];
  const faults: PullFault[] = [];
  const rooms: string[] = [];
  const gone: string[] = [];
  const lost: string[] = [];
  const work = new PendingWork();
  let running = 0;
  const connection = new RemoteConnection({
    connectionId: 'c1',
    resends,
    work,
    poster: {
      post: async (connectionId, text) => {
        running += 1;
        expect(running).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        const answer = answers[posts.length];
        posts.push(`${connectionId} ${(JSON.parse(text) as { action: string }).action}`);
        if (answer !== undefined) throw new PostError(answer, `it is ${answer}`);
      },
      disconnect: async (connectionId) => {
        posts.push(`${connectionId} closed`);
      },
    },
    gone: async (connectionId) => {
      gone.push(connectionId);
    },
    sendFailed: (_pullId, fault) => faults.push(fault),
    lost: (id) => lost.push(id),
    room: (id) => rooms.push(id),
  });
  return { connection, work, posts, faults, rooms, gone, lost };
}

describe('an agent’s connection at a gateway', () => {
  it('posts one frame after the other, in order', async () => {
    const b = bench([]);
    b.connection.control(pull);
    const body = Buffer.from('x');
    const held = b.connection.data(pullId, { action: 'body', pullId, seq: 1, end: true, body });
    b.connection.control({ action: 'cancel', pullId, reason: 'deadline' });
    await b.work.settled();
    expect(held).toBe(false);
    expect(b.posts).toEqual(['c1 pull', 'c1 body', 'c1 cancel']);
    expect([b.faults, b.rooms]).toEqual([[], [pullId]]);
  });

  it('tells that a connection is gone before it says of a pull that nothing was sent', async () => {
    const b = bench(['gone']);
    b.connection.control(pull);
    await b.work.settled();
    expect(b.posts).toEqual(['c1 pull']);
    expect([b.faults.map(({ code }) => code), b.gone]).toEqual([['device-offline'], ['c1']]);
  });

  it.each([
    ['gone' as const, 'device-offline'],
    ['full' as const, 'link-full'],
    ['failed' as const, 'link-lost'],
    ['too-large' as const, 'link-lost'],
  ])('says of a pull whose post is answered %s that it failed as %s', async (answer, code) => {
    const b = bench([answer]);
    b.connection.control(pull);
    await b.work.settled();
    expect(b.faults.map((fault) => [fault.code, fault.stage])).toEqual([[code, 'send']]);
    expect(b.posts).toEqual(['c1 pull']);
  });

  it('tells of a later frame that cannot be posted, and that a connection is gone', async () => {
    const b = bench([undefined, 'gone']);
    b.connection.control(pull);
    b.connection.control({ action: 'credit', pullId, limit: 1 });
    await b.work.settled();
    expect([b.gone, b.lost, b.faults]).toEqual([['c1'], [pullId], []]);
  });

  it('tells of a later frame that was not taken, but asks again where that was a question', async () => {
    const b = bench([undefined, 'full', 'full']);
    b.connection.control(pull);
    b.connection.control({ action: 'resend', pullId, have: 0, replyTo: 'r1' });
    b.connection.control({ action: 'credit', pullId, limit: 1 });
    await b.work.settled();
    expect(b.posts).toEqual(['c1 pull', 'c1 resend', 'c1 credit']);
    expect(b.faults.map((fault) => fault.code)).toEqual(['link-full']);
  });

  it('asks no agent to send again that did not announce it', async () => {
    const b = bench([], false);
    b.connection.control({ action: 'resend', pullId, have: 0, replyTo: 'r1' });
    await b.work.settled();
    expect(b.posts).toEqual([]);
  });

  it('does not post a pull that has ended while it waited', async () => {
    const b = bench([]);
    b.connection.control({ action: 'credit', pullId, limit: 1 });
    b.connection.control(pull);
    b.connection.forget();
    await b.work.settled();
    expect(b.posts).toEqual(['c1 credit']);
  });

  it('says bye before it closes', async () => {
    const b = bench([]);
    b.connection.close('revoked', 'gone from the registry');
    await b.work.settled();
    expect(b.posts).toEqual(['c1 bye', 'c1 closed']);
  });
});
