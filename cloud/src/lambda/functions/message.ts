import { systemClock } from '@pullwire/shared';
import { readAwsPlace } from '../aws-credentials.ts';
import { composeMessage } from '../compose-message.ts';
import { composeOnce } from '../compose-once.ts';
import { readEnvironment } from '../environment.ts';
import type { MessageEvent } from '../event.ts';
import { functionLog } from '../function-log.ts';
import { readRelayKeys } from '../read-keys.ts';

const { connectionsUrl, logLevel, secretName, table } = readEnvironment('message', process.env);
const place = readAwsPlace(process.env);

const composed = composeOnce(async () => {
  const [keys, { functionRegistry, functionQueueStore }, { gatewayPoster }] = await Promise.all([
    readRelayKeys(secretName, place),
    import('../function-registry.ts'), // while the secret is on its way
    import('../gateway-poster.ts'),
  ]);
  return composeMessage({
    registry: functionRegistry(table, place),
    store: functionQueueStore(table, place),
    poster: gatewayPoster(connectionsUrl, place),
    replyKey: keys.replyTo,
    clock: systemClock,
    log: functionLog(logLevel),
  });
});

/** `$default` of the WebSocket API. */
export const handler = async (event: MessageEvent) => (await composed())(event);
