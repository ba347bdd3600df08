import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '@pullwire/shared';
import type {
  AuthorizerEvent,
  ConnectEvent,
  DisconnectEvent,
  MessageEvent,
  WebSocketRequestContext,
} from '../../src/lambda/event.ts';
import type { GatewayConnection } from './gateway-connection.ts';

/** The API as the events name it. No address of the test: what takes one from an event fails. */
const apiId = 'strictgw01';
const domainName = `${apiId}.execute-api.us-east-1.amazonaws.com`;
const apiArn = `arn:aws:execute-api:us-east-1:123456789012:${apiId}`;

/** Events as API Gateway shapes them ("Set up an AWS Lambda integration for a WebSocket API", AWS.md). */
export class GatewayEvents {
  readonly #stage: string;
  readonly #clock: Clock;

  constructor(stage: string, clock: Clock) {
    this.#stage = stage;
    this.#clock = clock;
  }

  authorizer(connection: GatewayConnection, request: IncomingMessage): AuthorizerEvent {
    const more = { stageVariables: {} };
    return {
      ...more,
      type: 'REQUEST',
      methodArn: `${apiArn}/${this.#stage}/$connect`,
      ...requestFields(request),
      requestContext: this.#context(connection, '$connect', 'CONNECT'),
    };
  }

  connect(connection: GatewayConnection, request: IncomingMessage): ConnectEvent {
    return {
      ...requestFields(request),
      requestContext: this.#context(connection, '$connect', 'CONNECT'),
      isBase64Encoded: false,
    };
  }

  message(connection: GatewayConnection, routeKey: string, body: string): MessageEvent {
    const messageId = randomUUID();
    return {
      requestContext: { ...this.#context(connection, routeKey, 'MESSAGE'), messageId },
      body,
      isBase64Encoded: false,
    };
  }

  disconnect(connection: GatewayConnection, status: number, reason: string): DisconnectEvent {
    return {
      requestContext: {
        ...this.#context(connection, '$disconnect', 'DISCONNECT'),
        disconnectStatusCode: status,
        disconnectReason: reason,
      },
      isBase64Encoded: false,
    };
  }

  #context(
    connection: GatewayConnection,
    routeKey: string,
    eventType: WebSocketRequestContext['eventType'],
  ): WebSocketRequestContext {
    const now = this.#clock.wall();
    const { authorizer } = connection;
    const more = {
      requestTime: logTime(now),
      messageDirection: 'IN',
      extendedRequestId: randomUUID(),
    };
    return {
      ...more,
      routeKey,
      eventType,
      connectionId: connection.id,
      connectedAt: connection.connectedAt,
      requestTimeEpoch: now,
      requestId: randomUUID(),
      stage: this.#stage,
      domainName,
      apiId,
      identity: connection.identity,
      ...(authorizer === undefined ? {} : { authorizer }),
    };
  }
}

function requestFields(request: IncomingMessage): Pick<ConnectEvent, 'headers'> {
  const pairs: [string, string][] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    pairs.push([request.rawHeaders[i] ?? '', request.rawHeaders[i + 1] ?? '']);
  }
  pairs.push(
    ['X-Forwarded-For', request.socket.remoteAddress ?? ''],
    ['X-Forwarded-Port', '443'],
    ['X-Forwarded-Proto', 'https'],
  );
  const query = [...queryOf(request)];
  const more = {
    multiValueHeaders: grouped(pairs),
    ...(query.length === 0
      ? {}
      : {
          queryStringParameters: Object.fromEntries(query),
          multiValueQueryStringParameters: grouped(query),
        }),
  };
  // Of a name that comes twice the last value counts here.
  return { ...more, headers: Object.fromEntries(pairs) };
}

/** The decoded query of a handshake. */
export function queryOf(request: IncomingMessage): URLSearchParams {
  const [, ...query] = (request.url ?? '').split('?');
  return new URLSearchParams(query.join('?'));
}

function grouped(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const groups = Map.groupBy(pairs, ([name]) => name);
  return Object.fromEntries([...groups].map(([name, of]) => [name, of.map(([, value]) => value)]));
}

/** `25/Nov/2026:02:48:34 +0000`, as the access log has it. */
function logTime(epochMs: number): string {
  const [, day, month, year, time] = new Date(epochMs).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}
