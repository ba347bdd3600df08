import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';

const subprotocol = 'pullwire.v1+json';
const headEnd = Buffer.from('\r\n\r\n');

/** A request's head again, as it came. */
export function requestHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** Whether the client offers what a gateway's `$connect` would pick. */
export function offersSubprotocol({ headers }: IncomingMessage): boolean {
  const offered = headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((name) => name.trim() === subprotocol);
}

/**
 * Passes an answer on, and puts the subprotocol into the head of a 101 where the client offered it, as API Gateway
 * does by the word of `$connect`.
 */
export function withSubprotocol(offered: boolean): Transform {
  let head: Buffer | undefined = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done): void {
      if (head === undefined) return done(null, chunk);
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf(headEnd);
      if (end < 0) return done();
      const whole = head;
      head = undefined;
      done(null, offered && isUpgrade(whole) ? insertedAt(whole, end) : whole);
    },
  });
}

function isUpgrade(head: Buffer): boolean {
  return /^HTTP\/1\.1 101 /.test(head.subarray(0, 13).toString('latin1'));
}

function insertedAt(answer: Buffer, end: number): Buffer {
  const line = Buffer.from(`\r\nSec-WebSocket-Protocol: ${subprotocol}`);
  return Buffer.concat([answer.subarray(0, end), line, answer.subarray(end)]);
}
