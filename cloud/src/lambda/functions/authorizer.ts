import { systemClock } from '@pullwire/shared';
import { readAwsPlace } from '../aws-credentials.ts';
import { composeAuthorizer } from '../compose-authorizer.ts';
import { composeOnce } from '../compose-once.ts';
import { readEnvironment } from '../environment.ts';
import type { AuthorizerEvent } from '../event.ts';
import { functionIssuers } from '../function-issuers.ts';
import { functionLog } from '../function-log.ts';
import { readRelayKeys } from '../read-keys.ts';

const {
  issuers: issuerList,
  linkUrl,
  logLevel,
  secretName,
  table,
  tokenInQuery,
} = readEnvironment('authorizer', process.env);
const place = readAwsPlace(process.env);

const composed = composeOnce(async () => {
  const [keys, { functionRegistry, functionTable }, issuers] = await Promise.all([
    readRelayKeys(secretName, place),
    import('../function-registry.ts'), // while the secret is on its way
    functionIssuers(issuerList),
  ]);
  return composeAuthorizer({
    registry: functionRegistry(functionTable(table, place)),
    channelKey: keys.channel,
    issuers,
    audience: new URL(linkUrl).host,
    tokenInQuery,
    clock: systemClock,
    log: functionLog(logLevel),
  });
});

/** The REQUEST authorizer of `$connect`. */
export const handler = async (event: AuthorizerEvent) => (await composed())(event);
