import { type Fault, isErrorCode, PullFault, WireError } from '@pullwire/shared';

/** What an agent said; a code that only newer agents know is its error (PROTOCOL.md, "Faults"). */
export function fromAgent(message: Fault): PullFault {
  const code = isErrorCode(message.code) ? message.code : 'agent-error';
  return new PullFault(code, message.stage, {
    detail: message.detail,
    ...(message.retryAfterMs === undefined ? undefined : { retryAfterMs: message.retryAfterMs }),
    ...(message.extra === undefined ? undefined : { extra: message.extra }),
  });
}

/** A request that HTTP takes and the wire does not. */
export function unsendable(error: WireError): PullFault {
  const code = error.code === 'too-large' ? 'request-head-too-large' : 'bad-request';
  const detail = `the request cannot be sent to the device: ${error.message}`;
  return new PullFault(code, 'send', { detail, cause: error });
}

/** Whatever went wrong while a reply came. */
export function asFault(error: unknown): PullFault {
  if (error instanceof PullFault) return error;
  if (error instanceof WireError) {
    return new PullFault('protocol-error', 'stream', { detail: error.message, cause: error });
  }
  return new PullFault('relay-error', 'stream', {
    detail: 'the relay failed; its log says why, under this pull id',
    cause: error,
  });
}
