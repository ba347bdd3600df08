import { PullFault } from '@pullwire/shared';
import { expect, test } from 'vitest';
import { FakeExchange } from '../../test/fake-exchange.ts';
import { problem } from '../http/problem.ts';
import type { Failure } from './cache-status.ts';
import { FallbackExchange, type StandIn } from './fallback-exchange.ts';

function bench(cacheStatus?: string) {
  const inner = new FakeExchange();
  const failures: Failure[] = [];
  const looks: PromiseWithResolvers<StandIn | undefined>[] = [];
  const exchange = new FallbackExchange(inner, {
    cacheStatus,
    standIn: (failure) => {
      failures.push(failure);
      const look = Promise.withResolvers<StandIn | undefined>();
      looks.push(look);
      return look.promise;
    },
  });
  let taken = 0;
  const left: (string | undefined)[] = [];
  exchange.listen({ taken: () => (taken += 1), left: (why) => left.push(why) });
  let dropped = 0;
  const standIn: StandIn = {
    give: (to) => {
      to.head(200, undefined, []);
      to.end(Buffer.from('stored'));
    },
    drop: () => (dropped += 1),
  };
  return {
    ...{ inner, exchange, failures, left, standIn },
    counts: () => ({ taken, dropped }),
    decide: async (found: StandIn | undefined, look = looks.length - 1) => {
      looks[look]?.resolve(found);
      await new Promise(setImmediate);
    },
  };
}

const text = (body: string) => Buffer.from(body);
const offline = () => {
  const fault = new PullFault('device-offline', 'lookup', { detail: 'off' });
  return problem(fault, { method: 'GET', answeredBy: 'relay' });
};

test('what is no error passes at once', () => {
  const { exchange, inner, failures } = bench();
  exchange.head(404, 'Not Here', []);
  exchange.write(text('a'));
  exchange.end(text('b'));
  expect([inner.status, inner.bodyText, inner.ended, failures]).toEqual([404, 'ab', true, []]);
});

test('an answer of the device says why no reading was given in its place', () => {
  const { exchange, inner } = bench('pullwire; fwd=uri-miss');
  exchange.head(200, undefined, ['X', 'y']);
  expect(inner.answerHeaders).toEqual(['X', 'y', 'Cache-Status', 'pullwire; fwd=uri-miss']);
});

test('an error of the relay waits, and goes out where nothing stands in for it', async () => {
  const { exchange, inner, failures, decide } = bench();
  exchange.answer(offline());
  expect([inner.status, exchange.headSent]).toEqual([undefined, false]);
  await decide(undefined);
  expect([inner.status, inner.problem.code, inner.ended]).toEqual([503, 'device-offline', true]);
  expect(failures).toEqual([{ status: 503, code: 'device-offline', pullId: undefined }]);
});

test('an error of the upstream is replaced, whatever of it still comes is swallowed, and its pull ends', async () => {
  const { exchange, inner, failures, left, standIn, decide } = bench();
  exchange.head(503, undefined, ['Pullwire-Pull', 'p1']);
  expect(exchange.write(text('sorry'))).toBe(false);
  expect([exchange.pendingBytes, inner.status]).toEqual([5, undefined]);
  await decide(standIn);
  expect(left).toEqual(['the caller was given a stored answer instead']);
  exchange.write(text('more'));
  exchange.end(text('end'));
  exchange.breakOff();
  expect([inner.status, inner.bodyText, inner.ended, inner.broken]).toEqual([
    200,
    'stored',
    true,
    false,
  ]);
  expect([exchange.headSent, exchange.pendingBytes]).toEqual([true, 0]);
  expect(failures).toEqual([{ status: 503, code: undefined, pullId: 'p1' }]);
});

test('a reply that had ended is not told that its caller left', async () => {
  const { exchange, left, standIn, decide } = bench();
  exchange.head(503, undefined, []);
  exchange.end();
  await decide(standIn);
  expect(left).toEqual([]);
});

test('an error of the upstream goes out in order where nothing stands in for it, and on from there', async () => {
  const { exchange, inner, decide, counts } = bench();
  exchange.head(502, undefined, []);
  exchange.write(text('a'));
  exchange.write(text('b'));
  await decide(undefined);
  expect([inner.bodyText, counts().taken]).toEqual(['ab', 1]);
  exchange.end(text('c'));
  expect([inner.status, inner.bodyText, inner.ended]).toEqual([502, 'abc', true]);
});

test('one that ended meanwhile goes out whole', async () => {
  const { exchange, inner, decide } = bench();
  exchange.head(500, undefined, []);
  exchange.write(text('a'));
  exchange.end(text('b'), ['T', '1']);
  await decide(undefined);
  expect([inner.status, inner.bodyText, inner.ended, inner.trailers]).toEqual([
    500,
    'ab',
    true,
    ['T', '1'],
  ]);
});

test('what is taken back, for another try, is not decided upon any more', async () => {
  const { exchange, inner, standIn, decide, counts } = bench();
  exchange.head(503, undefined, []);
  exchange.takeBack();
  exchange.head(200, undefined, []);
  await decide(standIn);
  exchange.end(text('fresh'));
  expect([inner.status, inner.bodyText, counts().dropped]).toEqual([200, 'fresh', 1]);
});

test('a reply that breaks while it is held is an error of its own', async () => {
  const { exchange, inner, failures, standIn, decide, counts } = bench();
  exchange.head(503, undefined, []);
  exchange.answer(
    problem(new PullFault('reply-broken', 'stream', { detail: 'd' }), {
      method: 'GET',
      answeredBy: 'agent',
      pullId: 'p',
    }),
  );
  await decide(standIn, 0);
  expect([inner.status, counts().dropped]).toEqual([undefined, 1]);
  await decide(standIn, 1);
  expect([inner.bodyText, failures.map(({ code }) => code)]).toEqual([
    'stored',
    [undefined, 'reply-broken'],
  ]);
});

test('after the head went out, nothing is held', () => {
  const { exchange, inner, failures } = bench();
  exchange.head(200, undefined, []);
  exchange.breakOff();
  expect([inner.broken, failures]).toEqual([true, []]);
});

test('a caller that leaves meanwhile is answered nothing', async () => {
  const { exchange, inner, left, standIn, decide, counts } = bench();
  exchange.head(503, undefined, []);
  inner.leave();
  await decide(standIn);
  expect([left, inner.status, counts().dropped]).toEqual([[undefined], undefined, 1]);
});
