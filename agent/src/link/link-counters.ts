/** What an agent's links did so far, over all of them. */
export interface LinkCounters {
  dials: number;
  /** Links that a `welcome` opened. */
  links: number;
  /** Links that another one took the place of while they were open. */
  replaced: number;
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
    framesIn: 0,
    framesOut: 0,
    pings: 0,
    ignored: 0,
    malformed: 0,
  };
}
