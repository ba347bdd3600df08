import { UsageError } from './usage-error.ts';

const durationPattern = /^([1-9]\d{0,5})([mhd])$/;
const units = { m: 60, h: 3_600, d: 86_400 } as const;

/** Reads `30m`, `12h` or `90d`; returns seconds. `option`: whose value it is. Throws `UsageError`. */
export function parseDuration(option: string, text: string): number {
  const seconds = durationOf(text);
  if (seconds !== undefined) return seconds;
  throw new UsageError(`${option} must be such as 30m, 12h or 90d, not "${text}"`);
}

/** The seconds of `30m`, `12h` or `90d`; undefined where it is something else. */
export function durationOf(text: string): number | undefined {
  const match = durationPattern.exec(text);
  return match === null ? undefined : Number(match[1]) * units[match[2] as keyof typeof units];
}
