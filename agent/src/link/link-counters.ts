import type { Movement } from '@pullwire/shared';

/** What an agent's links did so far, over all of them. */
export interface LinkCounters {
  dials: number;
  /** Links that a `welcome` opened. */
  links: number;
  /** Links that another one took the place of while they were open. */
  replaced: number;
  /** Attempts and links that ended and were followed by another attempt, by why they ended: `redialReason`. */
  redials: Record<string, number>;
  /** Of links that are gone, as they passed the socket: WebSocket and the upgrade, without TLS, TCP and IP. */
  bytesIn: number;
  bytesOut: number;
  framesIn: number;
  framesOut: number;
  pings: number;
  /** Frames with an action that this version does not know. */
  ignored: number;
  /** Frames that ended a link. */
  malformed: number;
}

export function linkCounters(): LinkCounters {
  return {
    dials: 0,
    links: 0,
    replaced: 0,
    redials: {},
    bytesIn: 0,
    bytesOut: 0,
    framesIn: 0,
    framesOut: 0,
    pings: 0,
    ignored: 0,
    malformed: 0,
  };
}

/** What a link's socket has moved is added to the sum. */
export function addMoved(counters: LinkCounters, { received, sent }: Movement): void {
  counters.bytesIn += received;
  counters.bytesOut += sent;
}
