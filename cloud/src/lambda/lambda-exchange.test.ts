import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, it } from 'vitest';
import { BufferedAnswer } from './answer-way.ts';
import type { HttpEvent } from './event.ts';
import { LambdaExchange } from './lambda-exchange.ts';

function request(over: Partial<HttpEvent> = {}, method = 'GET'): HttpEvent {
  const http = { method, path: '/x', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' };
  return {
    version: '2.0',
    rawPath: '/x%2Fy',
    rawQueryString: '',
    headers: { accept: '*/*' },
    requestContext: { domainName: 'd', requestId: 'r', timeEpoch: 0, http },
    isBase64Encoded: false,
    ...over,
  };
}

function bench(event = request()) {
  const clock = new ManualClock();
  const way = new BufferedAnswer();
  const exchange = new LambdaExchange(event, way, clock);
  let taken = 0;
  exchange.listen({
    taken: () => {
      taken += 1;
    },
    left: () => undefined,
  });
  return { clock, way, exchange, taken: () => taken };
}

const bytes = (text: string) => Buffer.from(text);

describe('a request of a function URL', () => {
  it('is read as it came', () => {
    const { exchange } = bench(
      request({ rawQueryString: 'a=%20', cookies: ['a=1', 'b=2'], headers: { 'x-a': '1, 2' } }),
    );
    expect(exchange.target).toBe('/x%2Fy?a=%20');
    expect(exchange.headers).toEqual(['x-a', '1, 2', 'cookie', 'a=1; b=2']);
    expect(exchange.length).toBe(0);
  });

  it('delivers its body whole, once', () => {
    const { exchange } = bench(request({ body: 'AP8=', isBase64Encoded: true }, 'POST'));
    const seen: unknown[] = [];
    exchange.deliverTo({
      chunk: (chunk) => seen.push([...chunk]),
      end: () => seen.push('end'),
      broken: () => seen.push('broken'),
    });
    exchange.resume();
    exchange.resume();
    expect([exchange.length, seen]).toEqual([2, [[0, 255], 'end']]);
  });

  it('forgets a reply that it collects where another instance answers in its place', () => {
    const { exchange, way, clock } = bench();
    exchange.head(200, undefined, ['Content-Length', '5', 'X-Instance', 'a']);
    exchange.write(bytes('from'));
    exchange.takeBack();
    expect([exchange.pendingBytes, exchange.headSent, clock.pending]).toEqual([0, false, 0]);
    exchange.head(201, undefined, ['X-Instance', 'b']);
    exchange.end(bytes('b'));
    expect(way.result).toMatchObject({ statusCode: 201, headers: { 'x-instance': 'b' } });
    expect(Buffer.from(way.result.body, 'base64').toString()).toBe('b');
  });

  it('collects a reply: until it is whole, a fault is an honest answer', async () => {
    const { exchange, way, clock } = bench();
    exchange.head(200, undefined, ['Content-Type', 'text/plain']);
    exchange.write(bytes('half'));
    expect([exchange.headSent, exchange.pendingBytes]).toEqual([false, 4]);
    exchange.answer({ status: 502, headers: ['X', '1'], body: bytes('fault') });
    await exchange.finished;
    expect(way.result).toMatchObject({
      statusCode: 502,
      headers: { x: '1', 'content-length': '5' },
    });
    expect(Buffer.from(way.result.body, 'base64').toString()).toBe('fault');
    expect(clock.pending).toBe(0);
  });

  it('gives no credit for what is collected, and lets go of it after 2 s', () => {
    const { exchange, clock, taken } = bench();
    exchange.head(200, undefined, []);
    exchange.write(bytes('half'));
    expect([exchange.pendingBytes, taken()]).toEqual([4, 0]);
    clock.advance(2_000);
    expect([exchange.pendingBytes, taken(), exchange.headSent]).toEqual([0, 1, true]);
  });

  it('lets go of a reply that says how short it is only when it is whole', () => {
    const { exchange, clock } = bench();
    exchange.head(200, undefined, ['Content-Length', '8']);
    exchange.write(bytes('half'));
    clock.advance(60_000);
    expect(exchange.headSent).toBe(false);
    exchange.end(bytes('half'));
    expect(exchange.headSent).toBe(true);
    const long = bench();
    long.exchange.head(200, undefined, ['Content-Length', '88001']);
    long.clock.advance(2_000);
    expect(long.exchange.headSent).toBe(true);
  });

  it('sends the head of an event stream at once', () => {
    const { exchange } = bench();
    exchange.head(200, undefined, ['content-type', 'text/event-stream; charset=utf-8']);
    expect(exchange.headSent).toBe(true);
  });

  it('breaks off what has begun to go out', async () => {
    const { exchange, way, clock } = bench();
    exchange.head(200, undefined, []);
    clock.advance(2_000);
    exchange.breakOff();
    await exchange.finished;
    expect(() => way.result).toThrow('broke off');
  });

  it('joins headers that repeat, keeps cookies apart, and answers an empty body', async () => {
    const { exchange, way } = bench();
    const headers = ['Set-Cookie', 'a=1', 'Vary', 'a', 'vary', 'b', 'Set-Cookie', 'b=2'];
    exchange.head(204, undefined, headers);
    exchange.end();
    await exchange.finished;
    expect(way.result).toEqual({
      statusCode: 204,
      headers: { vary: 'a, b' },
      cookies: ['a=1', 'b=2'],
      body: '',
      isBase64Encoded: true,
    });
  });
});
