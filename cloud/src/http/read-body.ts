import { PullFault } from '@pullwire/shared';
import type { Exchange } from './exchange.ts';

/** The whole body of a small request. Rejects with `PullFault` where it is over `limitBytes` or breaks off. */
export function readBody(exchange: Exchange, limitBytes: number): Promise<Buffer> {
  const { body } = exchange;
  if (body.length === 0) return Promise.resolve(Buffer.alloc(0));
  return new Promise((resolve, reject) => {
    if (body.length !== undefined && body.length > limitBytes) return reject(tooLarge(limitBytes));
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    body.deliverTo({
      chunk: (piece) => {
        bytes += piece.length;
        if (bytes > limitBytes) reject(tooLarge(limitBytes));
        else pieces.push(piece);
      },
      end: () => resolve(Buffer.concat(pieces)),
      broken: (why) => reject(why ?? broken(bytes)),
    });
    exchange.proceed();
    body.resume();
  });
}

function tooLarge(limitBytes: number): PullFault {
  const detail = `the body of this request has at most ${limitBytes} bytes`;
  return new PullFault('request-body-too-large', 'lookup', { detail });
}

function broken(bytes: number): PullFault {
  const detail = `the request body ended after ${bytes} bytes`;
  return new PullFault('request-body-broken', 'lookup', { detail });
}
