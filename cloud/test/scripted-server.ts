import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** For tests: one answer of a server. */
export type ScriptedAnswer = (response: ServerResponse, request: IncomingMessage) => void;

export interface ScriptedServer {
  readonly url: string;
  /** What came, in order: method and target. */
  readonly requests: string[];
  /** Connections that were opened. */
  readonly connections: () => number;
  close(): void;
}

/** For tests: a server on a free port that gives these answers, one a request, and the last one to all that follow. */
export async function scriptedServer(...answers: ScriptedAnswer[]): Promise<ScriptedServer> {
  const requests: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(`${request.method} ${request.url}`);
    request.resume();
    response.sendDate = false; // the tests' clock is another
    answer?.(response, request);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections: () => connections,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A whole answer. */
export function scripted(
  status: number,
  body = '',
  headers: Record<string, string> = {},
): ScriptedAnswer {
  return (response) => response.writeHead(status, headers).end(body);
}
