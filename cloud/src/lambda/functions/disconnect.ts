import { readAwsPlace } from '../aws-credentials.ts';
import { composeDisconnect } from '../compose-disconnect.ts';
import { composeOnce } from '../compose-once.ts';
import { readEnvironment } from '../environment.ts';
import type { DisconnectEvent } from '../event.ts';
import { functionLog } from '../function-log.ts';

const { logLevel, table } = readEnvironment('disconnect', process.env);
const place = readAwsPlace(process.env);

const composed = composeOnce(async () => {
  const { functionRegistry, functionTable } = await import('../function-registry.ts');
  return composeDisconnect({
    registry: functionRegistry(functionTable(table, place)),
    log: functionLog(logLevel),
  });
});

/** `$disconnect` of the WebSocket API. */
export const handler = async (event: DisconnectEvent) => (await composed())(event);
