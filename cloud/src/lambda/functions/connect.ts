import { readAwsPlace } from '../aws-credentials.ts';
import { composeConnect } from '../compose-connect.ts';
import { composeOnce } from '../compose-once.ts';
import { readEnvironment } from '../environment.ts';
import type { ConnectEvent } from '../event.ts';
import { functionLog } from '../function-log.ts';

const { logLevel, table } = readEnvironment('connect', process.env);
const place = readAwsPlace(process.env);

const composed = composeOnce(async () => {
  const { functionRegistry, functionTable } = await import('../function-registry.ts');
  const registry = functionRegistry(functionTable(table, place));
  return composeConnect({ registry, log: functionLog(logLevel) });
});

/** `$connect` of the WebSocket API. */
export const handler = async (event: ConnectEvent) => (await composed())(event);
