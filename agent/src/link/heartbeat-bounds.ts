import type { HeartbeatSettings } from '@pullwire/shared';

/** What of a relay's wish for a heartbeat is granted. */
export interface HeartbeatBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/** A relay must neither make a metered link talk without pause nor leave a dead one unnoticed for hours. */
export function boundHeartbeat(
  wish: HeartbeatSettings,
  bounds: HeartbeatBounds,
): HeartbeatSettings {
  const within = (ms: number): number => Math.min(bounds.maxMs, Math.max(bounds.minMs, ms));
  return { intervalMs: within(wish.intervalMs), timeoutMs: within(wish.timeoutMs) };
}
