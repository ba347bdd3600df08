import { systemClock } from '@pullwire/shared';
import { readAwsPlace } from '../aws-credentials.ts';
import { composeMessage } from '../compose-message.ts';
import { composeOnce } from '../compose-once.ts';
import { readEnvironment } from '../environment.ts';
import type { MessageEvent } from '../event.ts';
import { functionLog } from '../function-log.ts';
import { functionRegistry } from '../function-registry.ts';
import { gatewayPoster } from '../gateway-poster.ts';
import { readRelayKeys } from '../read-keys.ts';

const { connectionsUrl, logLevel, secretName, table } = readEnvironment('message', process.env);
const place = readAwsPlace(process.env);
const registry = functionRegistry(table, place.region);
const poster = gatewayPoster(connectionsUrl, place.region);

const composed = composeOnce(async () =>
  composeMessage({
    registry,
    poster,
    replyKey: (await readRelayKeys(secretName, place)).replyTo,
    clock: systemClock,
    log: functionLog(logLevel),
  }),
);

/** `$default` of the WebSocket API. */
export const handler = async (event: MessageEvent) => (await composed())(event);
