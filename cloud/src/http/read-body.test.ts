import { expect, test } from 'vitest';
import { FakeExchange } from '../../test/fake-exchange.ts';
import { readBody } from './read-body.ts';

test('a small body is read whole, and a caller that waits for 100 is told to go on', async () => {
  const exchange = new FakeExchange({ bodyLength: 4, expectsContinue: true });
  const read = readBody(exchange, 8);
  expect([exchange.reading, exchange.proceeded]).toEqual([true, 1]);
  exchange.sink?.chunk(Buffer.from('ab'));
  exchange.sink?.chunk(Buffer.from('cd'));
  exchange.sink?.end([]);
  expect((await read).toString()).toBe('abcd');
});

test('no body is an empty one', async () => {
  expect(await readBody(new FakeExchange(), 8)).toHaveLength(0);
});

test('a body that declares too much is not read', async () => {
  const exchange = new FakeExchange({ bodyLength: 9 });
  await expect(readBody(exchange, 8)).rejects.toMatchObject({ code: 'request-body-too-large' });
  expect([exchange.reading, exchange.proceeded]).toEqual([false, 0]);
});

test('a chunked body that grows too large is refused', async () => {
  const exchange = new FakeExchange({ chunked: true });
  const read = readBody(exchange, 8);
  exchange.sink?.chunk(Buffer.alloc(9));
  await expect(read).rejects.toMatchObject({ code: 'request-body-too-large' });
});

test('a body that breaks off is a fault', async () => {
  const exchange = new FakeExchange({ bodyLength: 4 });
  const read = readBody(exchange, 8);
  exchange.sink?.broken();
  await expect(read).rejects.toMatchObject({ code: 'request-body-broken' });
});
