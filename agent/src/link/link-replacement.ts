/** Part of a link's life after which the next one is dialled, at the earliest and at the latest. */
const lifeParts = { from: 0.7, to: 0.9 };
/** Of the time that a drain gives: the rest is for a handshake, and for pulls to end. */
const drainPart = 0.5;
/** A link lives this long before it is replaced: a relay must not make an agent dial in a loop. */
const floorMs = 1_000;

/** What a relay said about a link's end. */
export type LinkTerm =
  /** `welcome`: it ends the link this long after. */
  | { readonly endOfLifeMs: number }
  /** `drain`: it closes the link this long after. */
  | { readonly withinMs: number };

/**
 * How long after the relay's word the next link is dialled, in milliseconds. Jittered over a good part of the time that
 * is left, so that a fleet which came together does not come together again, and early enough for some attempts to fail.
 * `livedMs`: for how long the link has been open; `random` in [0, 1).
 */
export function replaceAfterMs(term: LinkTerm, livedMs: number, random: number): number {
  const { from, to } = lifeParts;
  const ms =
    'withinMs' in term
      ? term.withinMs * drainPart * random
      : term.endOfLifeMs * (from + (to - from) * random);
  return Math.round(Math.max(ms, floorMs - livedMs));
}
