/** Whatever a relay's heartbeat: a handshake takes some round trips, and a signature to check. */
const leastMs = 2_000;

/**
 * For how long nothing may come of a handshake before it is given up, in milliseconds: a path that dies while it is dialled is
 * noticed as soon as one that dies under a link, within 2 of its heartbeats. `intervalMs`: of the last link; undefined
 * where there was none. It doubles with each attempt that `failed` since, up to `longestMs`, so that a path which is
 * merely slow is linked as well.
 */
export function handshakeLimitMs(
  longestMs: number,
  intervalMs: number | undefined,
  failed: number,
): number {
  if (intervalMs === undefined) return longestMs;
  return Math.min(longestMs, Math.max(leastMs, 2 * intervalMs) * 2 ** Math.min(failed, 10));
}
