import { systemClock } from '@pullwire/shared';
import type { DynamoTable } from '../../registry/dynamo-call.ts';
import { readAwsPlace } from '../aws-credentials.ts';
import { composeMessage } from '../compose-message.ts';
import { composeOnce } from '../compose-once.ts';
import { readEnvironment } from '../environment.ts';
import type { MessageEvent } from '../event.ts';
import { functionLog } from '../function-log.ts';
import { readRelayKeys } from '../read-keys.ts';

const settings = readEnvironment('message', process.env);
const place = readAwsPlace(process.env);

const composed = composeOnce(async () => {
  const [keys, functions, { gatewayPoster }] = await Promise.all([
    readRelayKeys(settings.secretName, place),
    import('../function-registry.ts'), // while the secret is on its way
    import('../gateway-poster.ts'),
  ]);
  const table = functions.functionTable(settings.table, place);
  return composeMessage({
    registry: functions.functionRegistry(table),
    store: functions.functionQueueStore(table),
    objects: loadObjects,
    readings: () => loadReceiver(table),
    poster: gatewayPoster(settings.connectionsUrl, place),
    replyKey: keys.replyTo,
    clock: systemClock,
    log: functionLog(settings.logLevel),
  });
});

async function loadObjects() {
  const { functionObjects } = await import('../function-objects.ts');
  return functionObjects(settings.bucket, place);
}

/** Of most relays no schedule asks anything: not loaded at each cold start. */
async function loadReceiver(table: DynamoTable) {
  const [bodies, { functionReceiver }] = await Promise.all([
    loadObjects(),
    import('../function-receiver.ts'),
  ]);
  const { retentionDays, bytesPerDay } = settings;
  const log = functionLog(settings.logLevel);
  return functionReceiver({ table, bodies, retentionDays, bytesPerDay, clock: systemClock, log });
}

/** `$default` of the WebSocket API. */
export const handler = async (event: MessageEvent) => (await composed())(event);
