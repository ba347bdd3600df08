import { byeCodes } from '@pullwire/shared';
import type { LinkEnd } from './redial-policy.ts';

/** Statuses that say something of their own (PROTOCOL.md, "Handshake"). */
const knownStatuses: ReadonlySet<number> = new Set([400, 401, 403, 404, 426, 429, 503]);

/** Why there was no link any more, in one word for counting: of a closed set, whatever the other side says. */
export function redialReason(end: LinkEnd): string {
  switch (end.cause) {
    case 'refused':
      return knownStatuses.has(end.status) ? `refused-${end.status}` : 'refused-other';
    case 'proxy-refused':
      return 'proxy-refused';
    case 'unreachable':
      return end.outsideDates ? 'certificate-dates' : 'unreachable';
    case 'bye':
      return Object.hasOwn(byeCodes, end.code) ? `bye-${end.code}` : 'bye-other';
    case 'closed':
      return 'lost';
  }
}
