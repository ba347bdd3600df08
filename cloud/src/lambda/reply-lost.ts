import { PullFault } from '@pullwire/shared';

/** The reply of a pull that went out cannot come: the device may act on it, and no code that says otherwise is honest. */
export function replyLost(cause: unknown): PullFault {
  const why = cause instanceof PullFault ? cause.message : 'the relay failed';
  const detail = `the connection on which the reply was to come is lost: ${why}`;
  return new PullFault('relay-error', 'upstream', { detail, retryAfterMs: 1_000, cause });
}
