import type { QueueSettings } from '../queue/queue-settings.ts';

/** As the one-box server's, where nobody sets them. */
export const queueBytes: Pick<QueueSettings, 'requestBytes' | 'replyBytes' | 'perCallerBytes'> = {
  requestBytes: 8_388_608,
  replyBytes: 33_554_432,
  perCallerBytes: 1_073_741_824,
};
