import { createServer, type IncomingHttpHeaders } from 'node:http';

/** An upstream that says what it was asked: method and target as plain text. */
export interface TinyOrigin {
  readonly url: string;
  /** Requests that it has seen. */
  readonly requests: number;
  /** Of the last request. */
  readonly lastHeaders: IncomingHttpHeaders;
  stop(): Promise<void>;
}

export async function createOrigin(): Promise<TinyOrigin> {
  let requests = 0;
  let lastHeaders: IncomingHttpHeaders = {};
  const server = createServer((request, response) => {
    requests += 1;
    lastHeaders = request.headers;
    request.resume();
    response.setHeader('Content-Type', 'text/plain');
    response.end(`${request.method} ${request.url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    get requests() {
      return requests;
    },
    get lastHeaders() {
      return lastHeaders;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
