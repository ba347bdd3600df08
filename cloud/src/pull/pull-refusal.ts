import { headerValue, PullFault } from '@pullwire/shared';
import { contentLength } from '../http/content-length.ts';
import type { Exchange } from '../http/exchange.ts';

/** Throws `PullFault` for what cannot go through a pull: an upgrade, an unknown expectation, a body without a clear end. */
export function refuseUnsupported(exchange: Exchange): void {
  const upgrade = headerValue(exchange.headers, 'upgrade');
  // `h2c` is offered by clients that are as content with HTTP/1.1: an offer may be ignored (RFC 9110 §7.8).
  if (exchange.method === 'CONNECT' || (upgrade !== undefined && upgrade !== 'h2c')) {
    throw new PullFault('upgrade-not-supported', 'lookup', {
      detail: 'a pull is one request and one reply: CONNECT and Upgrade cannot be tunnelled',
    });
  }
  const expect = headerValue(exchange.headers, 'expect');
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new PullFault('expectation-failed', 'lookup', {
      detail: 'the only expectation known here is 100-continue',
    });
  }
  if (contentLength(exchange.headers) === 'invalid') {
    throw new PullFault('bad-request', 'lookup', {
      detail: 'the request has no single valid Content-Length',
    });
  }
}
