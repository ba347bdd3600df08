import { systemClock } from '@pullwire/shared';
import { readAwsPlace } from '../aws-credentials.ts';
import { composeAuthorizer } from '../compose-authorizer.ts';
import { composeOnce } from '../compose-once.ts';
import { readEnvironment } from '../environment.ts';
import type { AuthorizerEvent } from '../event.ts';
import { functionLog } from '../function-log.ts';
import { functionRegistry } from '../function-registry.ts';
import { readRelayKeys } from '../read-keys.ts';

const { linkUrl, logLevel, secretName, table, tokenInQuery } = readEnvironment(
  'authorizer',
  process.env,
);
const place = readAwsPlace(process.env);
const registry = functionRegistry(table, place.region);

const composed = composeOnce(async () =>
  composeAuthorizer({
    registry,
    channelKey: (await readRelayKeys(secretName, place)).channel,
    audience: new URL(linkUrl).host,
    tokenInQuery,
    clock: systemClock,
    log: functionLog(logLevel),
  }),
);

/** The REQUEST authorizer of `$connect`. */
export const handler = async (event: AuthorizerEvent) => (await composed())(event);
