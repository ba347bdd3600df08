/** What is no object counts as an empty one: the agent that answers may be of another version. */
export function asFields(value: unknown): StatusFields {
  return typeof value === 'object' && value !== null ? (value as StatusFields) : {};
}

export type StatusFields = Readonly<Record<string, unknown>>;

/** A line's name and what it says. */
export type Line = readonly [name: string, text: string];

/** A time, and how long ago it was: clocks on devices are wrong, and the two together show it. */
export function ago(when: unknown, now: number): string {
  const at = typeof when === 'number' ? when : Date.parse(String(when));
  if (Number.isNaN(at)) return 'an unknown time';
  const iso = new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
  return `${iso} (${duration(Math.max(0, now - at))} ago)`;
}

/** How a run ended, and when: of a source or a schedule. */
export function lastRun(last: unknown, now: number): string {
  const { at, outcome, status, ms } = asFields(last);
  const answer = status === undefined ? `${outcome}` : `${outcome} (${status})`;
  return `last ${ago(at, now)}: ${answer} in ${ms} ms`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** The two largest units that matter: `3 h 12 min`. */
export function duration(value: unknown): string {
  const ms = Number(value);
  if (!Number.isFinite(ms)) return 'an unknown time';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const first = units.findIndex(([, size]) => ms >= size);
  const parts: string[] = [];
  let left = ms;
  for (const [name, size] of units.slice(first, first + 2)) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(' ');
}

export function size(value: unknown): string {
  const bytes = Number(value);
  if (!Number.isFinite(bytes)) return 'an unknown number of bytes';
  if (bytes < 10_000) return `${bytes} bytes`;
  if (bytes < 10_000_000) return `${Math.round(bytes / 1_000)} kB`;
  return bytes < 10_000_000_000
    ? `${Math.round(bytes / 1_000_000)} MB`
    : `${Math.round(bytes / 1_000_000_000)} GB`;
}
