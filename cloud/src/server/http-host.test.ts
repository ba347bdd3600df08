import { once } from 'node:events';
import { connect } from 'node:net';
import { systemClock } from '@pullwire/shared';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Exchange } from '../http/exchange.ts';
import { problem } from '../http/problem.ts';
import { readBody } from '../http/read-body.ts';
import { HttpHost } from './http-host.ts';

let host: HttpHost;
let port: number;
const addresses: (string | undefined)[] = [];

beforeEach(async () => {
  host = new HttpHost({
    clock: systemClock,
    listen: { host: '127.0.0.1', port: 0 },
    tls: undefined,
    headBytes: 16_384,
    smallBodyMs: 50,
    remoteAddress: (request) => request.socket.remoteAddress,
    handle: (exchange) => void answer(exchange),
    upgrade: () => undefined,
  });
  port = await host.start();
});
afterEach(() => host.stop());

/** Says how long the body was. */
async function answer(exchange: Exchange): Promise<void> {
  addresses.push(exchange.remoteAddress);
  try {
    const body = Buffer.from(String((await readBody(exchange, 1_024)).length));
    exchange.answer({ status: 200, headers: [], body });
  } catch (error) {
    const fault = error as Parameters<typeof problem>[0];
    exchange.answer(problem(fault, { method: exchange.method, answeredBy: 'relay' }));
  }
}

/** The beginning of what the host answers to raw bytes. */
async function ask(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return data.toString();
}

test('a small body that stalls is answered 408', async () => {
  const answered = await ask('POST /enroll HTTP/1.1\r\nHost: r\r\nContent-Length: 100\r\n\r\nabc');
  expect(answered).toMatch(/^HTTP\/1\.1 408 /);
  expect(answered).toContain('request-timeout');
});

test('a small body that trickles in is answered 408 too', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.write('POST /uploads HTTP/1.1\r\nHost: r\r\nContent-Length: 1000\r\n\r\n');
  const trickle = setInterval(() => socket.write('a'), 5);
  const [data] = (await once(socket, 'data')) as [Buffer];
  clearInterval(trickle);
  socket.destroy();
  expect(data.toString()).toMatch(/^HTTP\/1\.1 408 /);
});

test('a body that comes in time is read, and the exchange knows who sent it', async () => {
  addresses.length = 0;
  const answered = await ask('POST /enroll HTTP/1.1\r\nHost: r\r\nContent-Length: 3\r\n\r\nabc');
  expect(answered).toMatch(/^HTTP\/1\.1 200 /);
  expect(addresses).toEqual(['127.0.0.1']);
});
