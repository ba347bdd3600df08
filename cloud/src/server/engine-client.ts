import { Agent, type AgentOptions } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { writerHeader } from './engine-request.ts';

/** Connections at most; more would not make one thread faster. */
const connections = 32;
/** Milliseconds, the wait for a free connection included; a Unix socket connects at once or not at all. */
const requestTimeoutMs = 5_000;

/**
 * A client of the engine behind a Unix socket. The host name goes nowhere, and the engine checks no credentials:
 * whoever can open the socket is the operator.
 */
export function createEngineClient(socketPath: string, writer?: string): DynamoDBClient {
  // `socketPath` is an option of the requests that the agent makes (node:http, "http.request"); the types lack it
  const options: AgentOptions & { socketPath: string } = {
    keepAlive: true,
    maxSockets: connections,
    socketPath,
  };
  const client = new DynamoDBClient({
    endpoint: 'http://engine.invalid',
    region: 'local',
    credentials: { accessKeyId: 'engine', secretAccessKey: 'engine' },
    signer: { sign: async (request) => unsigned(request) },
    maxAttempts: 3,
    requestHandler: {
      httpAgent: new Agent(options),
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
  });
  if (writer !== undefined) nameWriter(client, writer);
  return client;
}

/** What has the form of a signature: the engine looks at no more, and a real one costs a third of a call. */
function unsigned<R extends { readonly headers: Record<string, string> }>(request: R): R {
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  request.headers['x-amz-date'] = now;
  request.headers['authorization'] =
    'AWS4-HMAC-SHA256 Credential=engine, SignedHeaders=host, Signature=none';
  return request;
}

function nameWriter(client: DynamoDBClient, writer: string): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { headers: Record<string, string> };
      request.headers[writerHeader] = writer;
      return next(args);
    },
    { step: 'build', name: 'pullwireWriter' },
  );
}
