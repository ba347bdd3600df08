import type { HeaderList } from '@pullwire/shared';
import { openFrom } from '../../test/source/source-deps.ts';
import { sourceRequest } from '../../test/source/source-request.ts';
import { TestUpstream } from '../../test/source/test-upstream.ts';
import { type ContractSubject, describeSource } from './source-contract.ts';

const largeBytes = 64 * 1024 * 1024;

async function upstream(): Promise<TestUpstream> {
  const server = new TestUpstream();
  server
    .on('/small', (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': '5' }).end('hello');
    })
    .on('/large', (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' });
      server.stream(response, largeBytes);
    })
    .on('/cut', (_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('x');
      setImmediate(() => response.destroy());
    })
    .on('/cut-chunk', (_request, response) => {
      response.writeHead(200).write('x');
      setImmediate(() => response.destroy());
    })
    .on('/hang-up', (_request, response) => response.destroy());
  return server.listen();
}

async function subject(headers: HeaderList): Promise<ContractSubject> {
  const server = await upstream();
  const source = openFrom({
    kind: 'http',
    url: server.url,
    limits: { replyBytes: largeBytes },
  });
  const ask = (target: string, more = {}) => sourceRequest(target, { headers, ...more });
  return {
    source,
    small: ask('/small'),
    smallBody: 'hello',
    large: ask('/large'),
    largeBytes,
    failures: [
      { what: 'cut', request: ask('/cut'), code: 'reply-broken', stage: 'stream', hasHead: true },
      {
        what: 'cut chunk',
        request: ask('/cut-chunk'),
        code: 'reply-broken',
        stage: 'stream',
        hasHead: true,
      },
      { what: 'hang-up', request: ask('/hang-up'), code: 'upstream-failed', stage: 'upstream' },
      {
        what: 'upgrade',
        request: ask('/small', { headers: [...headers, 'Upgrade', 'websocket'] }),
        code: 'upgrade-not-supported',
        stage: 'policy',
      },
    ],
    odd: [
      ask('/small', { method: 'CONNECT' }),
      ask('/small', { method: 'no token' }),
      ask('/small', { method: '' }),
      ask('/small', { path: '/a b' }),
      ask('/small', { path: '/\u20ac' }),
      ask('/small', { query: 'a\r\nb' }),
      ask('/small', { headers: [...headers, 'X-A', 'a\r\nb'] }),
      ask('/small', { headers: [...headers, 'X-A', '\u20ac'] }),
      ask('/small', { headers: [...headers, 'x a', 'b'] }),
      ask('/small', { headers: [...headers, 'Content-Length', '1', 'Content-Length', '2'] }),
      ask('/small', { headers: [...headers, 'Content-Length', '-1'] }),
    ],
    held: () => server.open,
    produced: () => server.produced,
    close: () => server.close(),
  };
}

describeSource('http', () => subject(['Accept', '*/*']));
describeSource('http with Expect', () => subject(['Expect', '100-continue']));
