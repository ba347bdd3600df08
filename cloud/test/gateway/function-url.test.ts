import { once } from 'node:events';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { systemClock } from '@pullwire/shared';
import { afterEach, describe, expect, test } from 'vitest';
import type { HttpEvent } from '../../src/lambda/event.ts';
import { createAwsLambda, installAwsLambda } from './aws-lambda.ts';
import { FunctionUrl, type FunctionUrlOptions } from './function-url.ts';
import { LambdaEmulator } from './lambda-emulator.ts';
import type { PlainHandler, StreamingHandler } from './lambda-handler.ts';
import type { ResponseStream } from './response-stream.ts';

const awslambda = createAwsLambda();
const running: FunctionUrl[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((url) => url.stop()));
});

async function serve(
  handler: PlainHandler | StreamingHandler,
  more: Partial<FunctionUrlOptions> = {},
): Promise<{ url: string; emulator: LambdaEmulator }> {
  const emulator = new LambdaEmulator({
    name: 'http',
    compose: () => handler,
    clock: systemClock,
    timeoutMs: 10_000,
  });
  const functionUrl = await FunctionUrl.start({ emulator, ...more });
  running.push(functionUrl);
  return { url: functionUrl.url, emulator };
}

/** A function that answers the event it got. */
const echo: PlainHandler = async (event: HttpEvent) => ({
  statusCode: 200,
  body: JSON.stringify(event),
});

const streaming = (handler: StreamingHandler) => awslambda.streamifyResponse(handler);

describe('the event of a function URL', () => {
  test('has lower-case headers, joined where they repeat, and the raw path and query', async () => {
    const { url } = await serve(echo);
    const sent = request(`${url}/a%2Fb/%20?x=1&x=2&y=%2F`, {
      headers: [
        ['Host', 'f'],
        ['X-Two', 'a'],
        ['x-two', 'b'],
        ['Cookie', 'k=1; l=2'],
        ['User-Agent', 'me'],
      ].flat(),
    }).end();
    const [response] = await once(sent, 'response');
    const event = JSON.parse((await response.toArray()).join('')) as HttpEvent;
    expect(event).toMatchObject({
      version: '2.0',
      rawPath: '/a%2Fb/%20',
      rawQueryString: 'x=1&x=2&y=%2F',
      queryStringParameters: { x: '1,2', y: '/' },
      cookies: ['k=1', 'l=2'],
      headers: { 'x-two': 'a,b', 'user-agent': 'me', 'x-forwarded-for': '127.0.0.1' },
      requestContext: {
        http: {
          method: 'GET',
          path: '/a%2Fb/%20',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'me',
        },
      },
      isBase64Encoded: false,
    });
    expect(event).not.toHaveProperty('body');
    expect(event.headers).not.toHaveProperty('cookie');
  });

  test.each([
    ['application/json', '{"ü":1}', false],
    ['text/plain; charset=utf-8', 'ü', false],
    ['application/problem+json', '{}', false],
    ['application/octet-stream', 'abc', true],
    ['text/plain', Buffer.from([0xff, 0x00]), true],
  ])('a body of %s is text or base64', async (type, body, isBase64Encoded) => {
    const { url } = await serve(echo);
    const headers = { 'content-type': type };
    const answer = await fetch(url, { method: 'POST', body, headers });
    const event = (await answer.json()) as HttpEvent;
    expect(event.isBase64Encoded).toBe(isBase64Encoded);
    const bytes = Buffer.from(event.body ?? '', isBase64Encoded ? 'base64' : 'utf8');
    expect(bytes.equals(Buffer.from(body))).toBe(true);
  });

  test.each([6 * 1024 * 1024 + 1, 5 * 1024 * 1024])(
    'a body of %i bytes is 413: as base64 it is over 6 MB',
    async (bytes) => {
      const { url, emulator } = await serve(echo);
      const answer = await fetch(url, { method: 'POST', body: Buffer.alloc(bytes) });
      expect([answer.status, emulator.counts.invocations]).toEqual([413, 0]);
    },
  );
});

describe('a buffered answer', () => {
  test('has status, headers, cookies that repeat, and base64 as bytes', async () => {
    const { url } = await serve(async () => ({
      statusCode: 201,
      headers: { 'X-A': 'b', 'content-type': 'image/x' },
      cookies: ['a=1', 'b=2'],
      body: Buffer.from([0xff, 0x00]).toString('base64'),
      isBase64Encoded: true,
    }));
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get('x-a'), answer.headers.getSetCookie()]).toEqual([
      201,
      'b',
      ['a=1', 'b=2'],
    ]);
    expect([...(await answer.bytes())]).toEqual([0xff, 0x00]);
  });

  test.each([
    [true, null, 'Bearer'],
    [false, 'Bearer', null],
  ])('has its challenge under another name: %s', async (remapsHeaders, plain, remapped) => {
    const headers = { 'WWW-Authenticate': 'Bearer' };
    const { url } = await serve(async () => ({ statusCode: 401, headers }), {
      switches: { remapsHeaders },
    });
    const answer = await fetch(url);
    expect(answer.headers.get('www-authenticate')).toBe(plain);
    expect(answer.headers.get('x-amzn-remapped-www-authenticate')).toBe(remapped);
  });

  test('without a status is the body itself, as JSON', async () => {
    const { url } = await serve(async () => ({ hello: 1 }));
    const answer = await fetch(url);
    expect([answer.status, await answer.json()]).toEqual([200, { hello: 1 }]);
  });

  test('of a handler that throws is 502, and of a throttled function 429', async () => {
    const { url, emulator } = await serve(() => Promise.reject(new Error('secret')));
    const answer = await fetch(url);
    expect([answer.status, await answer.json()]).toEqual([
      502,
      { Message: 'Internal Server Error' },
    ]);
    const busy = new LambdaEmulator({
      name: 'http',
      compose: () => echo,
      clock: systemClock,
      timeoutMs: 1000,
      maxEnvironments: 0,
    });
    const throttled = await FunctionUrl.start({ emulator: busy });
    running.push(throttled);
    expect((await fetch(throttled.url)).status).toBe(429);
    expect(emulator.counts.errors).toBe(1);
  });
});

describe('a streamed answer', () => {
  const start = (stream: ResponseStream, headers: Record<string, string> = {}) =>
    awslambda.HttpResponseStream.from(stream, {
      statusCode: 206,
      headers,
      cookies: ['a=1', 'b=2'],
    });

  test('has its head before its body, and comes as it is written', async () => {
    const written = Promise.withResolvers<void>();
    const { url } = await serve(
      streaming(async (_event, stream) => {
        const out = start(stream, { 'X-A': 'b', 'content-length': '9' });
        out.write('first');
        await written.promise;
        out.end('last');
      }),
    );
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get('x-a'), answer.headers.getSetCookie()]).toEqual([
      206,
      'b',
      ['a=1', 'b=2'],
    ]);
    expect(answer.headers.get('content-length')).toBeNull();
    expect(answer.headers.get('x-amzn-remapped-content-length')).toBe('9');
    written.resolve();
    expect(await answer.text()).toBe('firstlast');
  });

  test('with an empty write and an end has an empty body', async () => {
    const { url } = await serve(
      streaming(async (_event, stream) => {
        const out = start(stream);
        out.write('');
        out.end();
      }),
    );
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([206, '']);
  });

  test.each([
    ['only ended', (stream: ResponseStream) => start(stream).end()],
    ['ended with its only chunk', (stream: ResponseStream) => start(stream).end('body')],
  ])('%s has no head and never comes', async (_name, answerWith) => {
    const { url } = await serve(
      streaming(async (_event, stream) => {
        answerWith(stream);
      }),
    );
    await expect(fetch(url)).rejects.toThrow();
  });

  test('without a head is 200 and bytes', async () => {
    const { url } = await serve(
      streaming(async (_event, stream) => {
        stream.write('raw');
        stream.end();
        expect(() => stream.setContentType('text/plain')).toThrow('too late');
      }),
    );
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      200,
      'application/octet-stream',
      'raw',
    ]);
  });

  test.each([
    [true, null, 'text'],
    [false, 'gzip', 'text'],
  ])('of gzip is unzipped on the way: %s', async (stripsContentEncoding, encoding, text) => {
    const { url } = await serve(
      streaming(async (_event, stream) => {
        const out = start(stream, { 'content-encoding': 'gzip' });
        out.write(gzipSync('text'));
        out.end();
      }),
      { switches: { stripsContentEncoding } },
    );
    const answer = await fetch(url);
    expect([answer.headers.get('content-encoding'), await answer.text()]).toEqual([encoding, text]);
  });

  test('whose handler throws before the first write is 502', async () => {
    const { url } = await serve(
      streaming(async (_event, stream) => {
        start(stream);
        throw new Error('no');
      }),
    );
    expect((await fetch(url)).status).toBe(502);
  });

  const throwing = streaming(async (_event, stream) => {
    await new Promise((resolve) => start(stream).write('half', resolve));
    throw new Error('in the middle');
  });

  test('whose handler throws in the middle ends as if it were whole', async () => {
    const { url, emulator } = await serve(throwing);
    expect(await (await fetch(url)).text()).toBe('half');
    expect(emulator.counts.errors).toBe(1);
  });

  test('whose handler throws in the middle breaks, by a switch', async () => {
    const { url } = await serve(throwing, { switches: { midStreamThrow: 'break' } });
    await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow();
  });

  test('does not tell its function that the caller left', async () => {
    const left = Promise.withResolvers<void>();
    const through = Promise.withResolvers<number>();
    const { url } = await serve(
      streaming(async (_event, stream) => {
        const out = start(stream);
        out.write('x');
        await left.promise;
        for (let i = 0; i < 200; i += 1) {
          if (!out.write(Buffer.alloc(65_536))) await once(out, 'drain');
        }
        out.end();
        through.resolve(stream.writableLength);
      }),
    );
    const sent = request(url).end();
    const [response] = await once(sent, 'response');
    response.destroy();
    await once(response, 'close');
    left.resolve();
    expect(await through.promise).toBeLessThan(200 * 65_536);
  });

  test('is through only when its stream has ended, not when its handler has returned', async () => {
    const ended = Promise.withResolvers<void>();
    const { url, emulator } = await serve(
      streaming(async (_event, stream) => {
        start(stream).write('x');
        void ended.promise.then(() => stream.end());
      }),
    );
    const answer = await fetch(url);
    expect(emulator.environments[0]?.idle).toBe(false);
    ended.resolve();
    expect(await answer.text()).toBe('x');
  });

  test('the global can be installed and taken away', () => {
    const uninstall = installAwsLambda(awslambda);
    expect(Reflect.get(globalThis, 'awslambda')).toBe(awslambda);
    uninstall();
    expect('awslambda' in globalThis).toBe(false);
  });
});
