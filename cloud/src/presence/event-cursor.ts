import { createHash } from 'node:crypto';

/** Where a client of a host without memory stands: what became so after `floor` is told, except what was told already. */
export interface EventCursor {
  /** Epoch milliseconds. */
  readonly floor: number;
  /** Marks of what was told of the time after it. */
  readonly told: ReadonlySet<string>;
}

/** Marks in one id at most: an id is a header of every request of its client. */
export const mostMarks = 384;
const markLength = 4;
const form = /^l\.([0-9a-z]{1,10})\.([\w-]*)$/;
const oldestMs = 24 * 3_600_000;
const futureMs = 60_000;

/** 24 bits: of two changes that a client could confuse, one in 40,000 times one is not told. */
export function markOf(...parts: readonly (string | number)[]): string {
  const text = JSON.stringify(parts);
  return createHash('sha256').update(text).digest('base64url').slice(0, markLength);
}

export function cursorText({ floor, told }: EventCursor): string {
  return `l.${Math.max(0, floor).toString(36)}.${[...told].join('')}`;
}

/** The cursor of an id, or why it cannot be gone on from. `now` in epoch milliseconds. */
export function readCursor(text: string, now: number): EventCursor | 'other-run' | 'too-old' {
  const [, floorText, marks] = form.exec(text) ?? [];
  if (floorText === undefined || marks === undefined) return 'other-run';
  const floor = Number.parseInt(floorText, 36);
  const wellFormed = marks.length % markLength === 0 && marks.length <= mostMarks * markLength;
  if (!wellFormed || floor > now + futureMs) return 'other-run';
  if (floor < now - oldestMs) return 'too-old';
  return { floor, told: new Set(marks.match(/.{4}/g)) };
}
