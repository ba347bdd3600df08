import { expect, test } from 'vitest';
import { FakeExchange } from '../../test/fake-exchange.ts';
import { eventRequest } from './event-request.ts';

const ask = (headers: string[], query?: string) =>
  eventRequest(new FakeExchange({ target: '/events', headers }), query);

test.each([
  [],
  ['Accept', '*/*'],
  ['Accept', 'text/event-stream'],
  ['Accept', 'text/html, application/xhtml+xml, */*;q=0.8'],
  ['Accept', 'application/json;q=1, Text/*'],
])('takes %j', (...headers) => {
  expect(ask(headers.flat()).lastEventId).toBeUndefined();
});

test.each([
  'application/json',
  'text/html',
  'text/event-stream;q=0',
  'text/event-stream; q=0.0',
  '',
])('does not take Accept: %s', (accept) => {
  expect(() => ask(['Accept', accept])).toThrow(expect.objectContaining({ status: 406 }));
});

test('a client that comes back says what it has read, of any length', () => {
  expect(ask(['Last-Event-ID', 'abc-7']).lastEventId).toBe('abc-7');
  expect(ask(['last-event-id', 'x'.repeat(5_000)]).lastEventId?.length).toBeLessThan(5_000);
});

test('devices are chosen by ids and globs, any of them', () => {
  const { wants } = ask([], 'device=plant-*&device=gate&other=1');
  expect(['plant-7', 'gate', 'gate-2', 'other'].map(wants)).toEqual([true, true, false, false]);
});

test('not by more, or longer ones, than a request has reason for', () => {
  const many = Array.from({ length: 17 }, (_, at) => `device=d${at}`).join('&');
  for (const query of [many, `device=${'x'.repeat(129)}`]) {
    expect(() => ask([], query)).toThrow(expect.objectContaining({ status: 400 }));
  }
});
