import { ManualClock } from '@pullwire/shared/manual-clock';
import { beforeEach, expect, test } from 'vitest';
import { FakeExchange } from '../../test/fake-exchange.ts';
import { CallerGone, PacedBody } from './paced-body.ts';

let clock: ManualClock;
let exchange: FakeExchange;
let body: PacedBody;

beforeEach(() => {
  clock = new ManualClock();
  exchange = new FakeExchange();
  body = new PacedBody(exchange, clock, 60_000);
});

const much = 'x'.repeat(40_000);

test('small pieces go out together at the end', async () => {
  for (const text of ['a', 'b', 'c']) await body.write(text);
  expect(exchange.bodyText).toBe('');
  body.end();
  expect([exchange.bodyText, exchange.ended]).toEqual(['abc', true]);
});

test('goes on when the caller has taken what was written', async () => {
  exchange.takes = false;
  const written = body.write(much);
  expect(exchange.pendingBytes).toBe(40_000);
  exchange.take();
  await written;
  expect(clock.pending).toBe(0);
});

test('a caller that takes nothing is not waited for any longer than that', async () => {
  exchange.takes = false;
  const written = body.write(much);
  clock.advance(60_000);
  await expect(written).rejects.toThrow(CallerGone);
});

test('a caller that leaves ends it', async () => {
  exchange.takes = false;
  const written = body.write(much);
  exchange.leave();
  await expect(written).rejects.toThrow(CallerGone);
  await expect(body.write('a')).rejects.toThrow(CallerGone);
  expect(clock.pending).toBe(0);
});
