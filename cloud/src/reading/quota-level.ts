import { dayMs } from './reading-limit.ts';

/** What a device has used of its quota, as it was counted last. */
export interface QuotaLevel {
  /** Bytes, as `readingCost` counts them. */
  readonly bytes: number;
  /** When that was so: epoch milliseconds. */
  readonly at: number;
}

/**
 * Bytes that still count at a time: what was counted is forgiven evenly, a day's worth in a day. So there is no hour at
 * which every device that waits comes at once, and over any time a device has stored at most that time's worth and one
 * day's more. What a clock counted that was more than a day ahead, and is set right now, says nothing.
 */
export function usedBytes(level: QuotaLevel | undefined, now: number, bytesPerDay: number): number {
  if (level === undefined || level.at > now + dayMs) return 0;
  const forgiven = (Math.max(0, now - level.at) * bytesPerDay) / dayMs;
  return Math.max(0, Math.ceil(level.bytes - forgiven));
}

/** Milliseconds until so many bytes are forgiven. */
export function forgivenInMs(bytes: number, bytesPerDay: number): number {
  return Math.ceil((Math.max(0, bytes) * dayMs) / bytesPerDay);
}
