import { systemClock } from '@pullwire/shared';
import { logTo } from '@pullwire/shared/process-log';
import { Spool } from '../../agent/src/spool/spool.ts';

/** Bytes of each body: a line or two of metrics. */
const bodyBytes = 200;
/** Readings that wait for one commit: a spool holds 16 MiB in memory. */
const atOnce = 5_000;

/**
 * Fills an agent's spool with readings of each second until now, as if it had collected them; resolves when they are on the disk.
 * `ms`: of each of these seconds, so that no two calls make the same reading.
 */
export async function fillSpool(path: string, count: number, ms: number): Promise<void> {
  const bounds = { maxBytes: 1 << 30, maxAgeMs: 7 * 86_400_000 };
  const logger = logTo({ write: () => undefined }, 'silent');
  const spool = new Spool({ path, bounds, clock: systemClock, logger });
  await spool.start();
  const began = (Math.floor(Date.now() / 1_000) - count) * 1_000 + ms;
  const body = Buffer.alloc(bodyBytes, 'x');
  for (let from = 0; from < count; from += atOnce) {
    const appended = Array.from({ length: Math.min(atOnce, count - from) }, (_, index) => {
      const at = from + index;
      const entry = {
        ...{ schedule: 'before', at: began + at * 1_000, source: 'own', path: '/before', ms: 1 },
        ...{ status: 200, headers: ['Content-Type', 'text/plain'] },
      };
      return spool.append({ entry, body, step: at });
    });
    if ((await Promise.all(appended)).includes(false)) throw new Error('a reading was not taken');
  }
  await spool.stop();
}
