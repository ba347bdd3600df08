import { readAwsPlace } from '../aws-credentials.ts';
import { composeConnect } from '../compose-connect.ts';
import { readEnvironment } from '../environment.ts';
import { functionLog } from '../function-log.ts';
import { functionRegistry } from '../function-registry.ts';

const { logLevel, table } = readEnvironment('connect', process.env);

/** `$connect` of the WebSocket API. */
export const handler = composeConnect({
  registry: functionRegistry(table, readAwsPlace(process.env).region),
  log: functionLog(logLevel),
});
