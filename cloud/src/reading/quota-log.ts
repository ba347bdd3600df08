import type { Logger } from 'pino';
import type { QuotaFull } from './reading-quota.ts';

/** Says that a device has no more of its quota: its agent is stolen or broken, or collects more than it was meant to. */
export function quotaLog(log: Logger): (device: string, quota: QuotaFull) => void {
  return (device, { bytesPerDay, retryAfterMs }) =>
    log.warn(
      { device, bytesPerDay, retryAfterMs },
      'readings held back: the device has as much stored as it may in a day; its agent keeps the rest and sends it later',
    );
}
