import { UsageError } from './usage-error.ts';

const durationPattern = /^([1-9]\d{0,5})([mhd])$/;
const units = { m: 60, h: 3_600, d: 86_400 } as const;

/** Reads `30m`, `12h` or `90d`; returns seconds. Throws `UsageError`. */
export function parseDuration(text: string): number {
  const match = durationPattern.exec(text);
  if (match === null)
    throw new UsageError(`--expires must be such as 30m, 12h or 90d, not "${text}"`);
  return Number(match[1]) * units[match[2] as keyof typeof units];
}
