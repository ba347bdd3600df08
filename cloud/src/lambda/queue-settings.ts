import type { QueueSettings } from '../queue/queue-settings.ts';

/** As the one-box server's, where nobody sets them. */
export const queueSettings: QueueSettings = {
  defaultMs: 24 * 3_600_000,
  maxMs: 7 * 24 * 3_600_000,
  keepMs: 24 * 3_600_000,
  perDevice: 100,
  perCaller: 1_000,
  requestBytes: 8_388_608,
  replyBytes: 33_554_432,
  perCallerBytes: 1_073_741_824,
};
