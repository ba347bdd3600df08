import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import type { MessageEvent, RouteResult } from '../../../src/lambda/event.ts';
import { connectionsUrl, postStatus } from './post.ts';

/** Does what `action` says: `event`, `post {to, text}`, `get`, `delete {to}`, `fail`, `pid`. */
export async function handler(event: MessageEvent): Promise<RouteResult> {
  const message = JSON.parse(event.body ?? '{}') as Record<string, string>;
  const own = event.requestContext.connectionId;
  const to = message['to'] ?? own;
  switch (message['action']) {
    case 'post':
      return answer({ status: await postStatus(to, message['text'] ?? '') });
    case 'get':
      return answer(await client.send(new GetConnectionCommand({ ConnectionId: to })));
    case 'delete':
      await client.send(new DeleteConnectionCommand({ ConnectionId: to }));
      return { statusCode: 200 };
    case 'fail':
      throw new Error('this handler fails');
    case 'pid':
      return answer({ pid: process.pid });
    default:
      console.log(`message ${own}`);
      return answer({ event });
  }
}

const client = new ApiGatewayManagementApiClient({ endpoint: connectionsUrl(), maxAttempts: 1 });

const answer = (body: unknown): RouteResult => ({ statusCode: 200, body: JSON.stringify(body) });
