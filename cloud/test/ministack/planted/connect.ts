import type { ConnectEvent, RouteResult } from '../../../src/lambda/event.ts';
import { postStatus } from './post.ts';
import { record } from './record.ts';

/** Notes its event, and how a post to the own connection ends in here. */
export async function handler(event: ConnectEvent): Promise<RouteResult> {
  const { connectionId } = event.requestContext;
  await record('connect', connectionId, {
    event,
    postToItself: await postStatus(connectionId, '{}'),
  });
  const refuse = event.queryStringParameters?.['refuse'];
  const headers = { 'Sec-WebSocket-Protocol': 'pullwire.v1+json' };
  return { statusCode: refuse === undefined ? 200 : Number(refuse), headers };
}
