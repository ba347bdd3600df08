import type { Pull } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, test } from 'vitest';
import { FakeTarget } from '../../test/fake-target.ts';
import { grantedRequest } from '../../test/granted-request.ts';
import { PullInFlight } from './pull-in-flight.ts';

const pullId = 'AAECAwQFBgcICQoLDA0ODw';
const replyTo = 'r1';
const frame = { pullId, replyTo };
const pull: Pull = {
  ...frame,
  action: 'pull',
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

function bench() {
  const target = new FakeTarget();
  const running = new PullInFlight({
    pull,
    request: grantedRequest(),
    target,
    clock: new ManualClock(),
    deadlineMs: 1_000,
    requestBody: { bytes: 1_000, advice: '' },
    objects: undefined,
    ended: () => undefined,
  });
  return { target, running };
}

const head = (headers: string[]) =>
  ({ ...frame, action: 'head', seq: 0, status: 200, headers, end: false }) as const;
const body = (seq: number, end: boolean) =>
  ({ ...frame, action: 'body', seq, end, body: Buffer.from('half') }) as const;

test('a reply is due from the first frame of its pull to the last of its own', () => {
  const { running } = bench();
  expect(running.due).toBeUndefined();
  running.start();
  expect(running.due).toBe('more');
  running.receive(head(['Content-Length', '8']));
  running.receive(body(1, false));
  expect(running.due).toBe('more');
  running.receive(body(2, true));
  expect(running.due).toBeUndefined();
});

test('of a reply that is streamed, nobody knows when the next frame is due, but of one that is missing', () => {
  const { running } = bench();
  running.start();
  running.receive(head([]));
  expect(running.due).toBeUndefined();
  running.receive(body(2, true));
  expect([running.due, running.position]).toEqual(['earlier', 1]);
  running.receive(body(1, false));
  expect(running.due).toBeUndefined();
});

test('what has not come is asked for from the first missing frame on', () => {
  const { running, target } = bench();
  running.start();
  running.receive(head([]));
  running.receive(body(2, true));
  running.askAgain();
  expect(target.sent.at(-1)).toEqual({ ...frame, action: 'resend', have: 1 });
});

test('a reply that stands still is ended, but not while a frame comes in: on a slow path one takes its time', () => {
  const { running, target } = bench();
  running.start();
  running.receive(head([]));
  target.partHeardAt = 500;
  running.endIfIdle(400);
  expect(target.sent.map(({ action }) => action)).toEqual(['pull']);
  running.endIfIdle(500);
  expect(target.sent.at(-1)).toEqual({ action: 'cancel', pullId, reason: 'idle' });
});
