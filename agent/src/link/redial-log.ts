import type { Bye } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { LinkSocket } from './link-socket.ts';
import { describeEnd, type LinkEnd } from './redial-policy.ts';

export interface EndedLink {
  readonly end: LinkEnd;
  readonly bye: Bye | undefined;
  readonly socket: LinkSocket | undefined;
  readonly waitMs: number;
  readonly attempt: number;
  /** How long it was open. */
  readonly livedMs: number;
}

/** Says why there is no link, what the other side said about it, and when the next attempt is. */
export function logRedial(logger: Logger, ended: EndedLink): void {
  const { end, waitMs, attempt, livedMs, socket } = ended;
  logger.warn(
    {
      reason: describeEnd(end),
      status: 'status' in end ? end.status : undefined,
      detail: detailOf(ended),
      clockAheadMs: noteworthySkew(socket?.refusal?.clockAheadMs),
      waitMs,
      attempt,
      openForMs: Math.round(livedMs),
    },
    hintFor(end) ?? 'no link; dialling again after a wait',
  );
}

/** What was said, beyond the reason itself. */
function detailOf({ end, bye, socket }: EndedLink): string | undefined {
  return (
    bye?.reason ?? socket?.refusal?.detail ?? (end.cause === 'closed' ? socket?.failure : undefined)
  );
}

/** A token is good for minutes, so a clock that is minutes off explains a 401. */
function noteworthySkew(clockAheadMs: number | undefined): number | undefined {
  return clockAheadMs !== undefined && Math.abs(clockAheadMs) > 60_000 ? clockAheadMs : undefined;
}

function hintFor(end: LinkEnd): string | undefined {
  if (end.cause === 'bye' && end.code === 'replaced') {
    return 'another process links as this device and instance; give each its own "instance"';
  }
  if (end.cause === 'refused' && end.status === 401) {
    return 'the relay does not accept the token: is the public key registered, is the clock right?';
  }
  return undefined;
}
