import type { Logger } from 'pino';
import { describeEnd, type LinkEnd } from './redial-policy.ts';

export interface EndedLink {
  readonly end: LinkEnd;
  /** What was said about it, beyond the reason itself, cleaned. */
  readonly remark: string | undefined;
  /** How far this device's clock is ahead of the relay's, in milliseconds. */
  readonly clockAheadMs: number;
  readonly waitMs: number;
  readonly attempt: number;
  /** The answer taught something, and the wait is only there to spread a fleet. */
  readonly atOnce: boolean;
  /** How long it was open. */
  readonly livedMs: number;
}

/** Says why there is no link, what the other side said about it, and when the next attempt is. */
export function logRedial(logger: Logger, ended: EndedLink): void {
  const { end, remark, waitMs, attempt, atOnce, livedMs } = ended;
  logger.warn(
    {
      reason: describeEnd(end),
      status: 'status' in end ? end.status : undefined,
      detail: remark,
      clockAheadMs: noteworthySkew(ended.clockAheadMs),
      waitMs,
      attempt,
      openForMs: Math.round(livedMs),
    },
    atOnce
      ? 'no link; dialling again at once, since this may cure it'
      : (hintFor(end) ?? 'no link; dialling again after a wait'),
  );
}

/** For people, in one line: why there is no link. */
export function describeTrouble(end: LinkEnd, remark: string | undefined): string {
  const words = remark === undefined ? '' : ` ("${remark}")`;
  const hint = hintFor(end);
  return `${describeEnd(end)}${words}${hint === undefined ? '' : `; ${hint}`}`;
}

/** A token is good for minutes, so a clock that is minutes off explains much. */
function noteworthySkew(clockAheadMs: number): number | undefined {
  return Math.abs(clockAheadMs) > 60_000 ? clockAheadMs : undefined;
}

function hintFor(end: LinkEnd): string | undefined {
  if (end.cause === 'bye' && end.code === 'replaced') {
    return 'another process links as this device and instance; give each its own "instance"';
  }
  if (end.cause === 'bye' && end.code === 'too-many-messages') {
    return 'the relay says that this device sends far more messages than pulls need';
  }
  if (end.cause === 'refused' && end.status === 401) {
    return 'the relay does not accept the token: is this device enrolled there, with this key?';
  }
  if (end.cause === 'refused' && end.status === 429) {
    return 'the relay had too many attempts from here, or holds too many links';
  }
  return undefined;
}
