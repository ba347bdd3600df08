import { systemClock } from '@pullwire/shared';
import { pino } from 'pino';
import type { HeartbeatBounds } from './heartbeat-bounds.ts';
import { IdlePath } from './idle-path.ts';
import { LinkPace } from './link-pace.ts';

const logger = pino({ level: 'silent' });

/** For tests: the pace of a link that is not metered, on a path of which nothing is known. */
export function plainPace(bounds: HeartbeatBounds, clock = systemClock): LinkPace {
  const path = new IdlePath(clock, { goodMs: 0 }, () => undefined);
  return new LinkPace({ clock, bounds, path, dailyBytes: null, logger });
}

/** For tests: the pace of a link on which every byte is one too many. */
export function meteredPace(): LinkPace {
  const bounds = { minMs: 1, maxMs: 600_000 };
  const path = new IdlePath(systemClock, { goodMs: 0 }, () => undefined);
  return new LinkPace({ clock: systemClock, bounds, path, dailyBytes: 1, logger });
}
