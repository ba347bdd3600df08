import { readAwsPlace } from '../aws-credentials.ts';
import { composeDisconnect } from '../compose-disconnect.ts';
import { readEnvironment } from '../environment.ts';
import { functionLog } from '../function-log.ts';
import { functionRegistry } from '../function-registry.ts';

const { logLevel, table } = readEnvironment('disconnect', process.env);

/** `$disconnect` of the WebSocket API. */
export const handler = composeDisconnect({
  registry: functionRegistry(table, readAwsPlace(process.env).region),
  log: functionLog(logLevel),
});
