import type { DisconnectEvent, RouteResult } from '../../../src/lambda/event.ts';
import { record } from './record.ts';

/** Notes its event. */
export async function handler(event: DisconnectEvent): Promise<RouteResult> {
  await record('disconnect', event.requestContext.connectionId, { event });
  return { statusCode: 200 };
}
