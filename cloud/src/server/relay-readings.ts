import { quotaLog } from '../reading/quota-log.ts';
import { ReadingQuota } from '../reading/reading-quota.ts';
import { ReadingWriter } from '../reading/reading-writer.ts';
import { ReceiveReadings } from '../reading/receive-readings.ts';
import { ReadingDesk } from './reading-desk.ts';
import type { RelayParts } from './relay-parts.ts';

/** While storing fails, so often a line of the log says it (milliseconds); agents try again all the time. */
const linesEveryMs = 10_000;

/** The one-box server's desk for readings. */
export function createReadingDesk({ readings, clock, log }: RelayParts): ReadingDesk {
  const wall = () => clock.wall();
  const writer = new ReadingWriter({ ...readings, wall });
  const quota = new ReadingQuota({ ...readings, wall, full: quotaLog(log) });
  const receiver = new ReceiveReadings({ writer, quota, wall });
  let saidAt = Number.NEGATIVE_INFINITY;
  const desk: ReadingDesk = new ReadingDesk({
    clock,
    receive: (device, batch) => receiver.receive(device, batch),
    failed: (err) => {
      if (clock.monotonic() - saidAt < linesEveryMs) return;
      saidAt = clock.monotonic();
      const { failed } = desk.counters;
      log.error(
        { err, failed },
        'readings cannot be stored now: their agents keep them, and send them again',
      );
    },
  });
  return desk;
}
