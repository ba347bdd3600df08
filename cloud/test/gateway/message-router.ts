import { randomUUID } from 'node:crypto';
import type { GatewayConnection } from './gateway-connection.ts';
import type { GatewayCounts } from './gateway-counts.ts';
import type { GatewayEvents } from './gateway-event.ts';
import type { ManifestRoute } from './manifest.ts';
import { renderTemplate } from './mapping-template.ts';

export interface MessageRouterOptions {
  readonly routes: Readonly<Record<string, ManifestRoute>>;
  readonly shapes: GatewayEvents;
  readonly counts: GatewayCounts;
  invoke(name: string, event: unknown): Promise<unknown>;
  /** To the client, over the network. */
  send(connection: GatewayConnection, text: string): void;
}

/** Takes a client's message to its route by `$request.body.action`. */
export class MessageRouter {
  readonly #options: MessageRouterOptions;

  constructor(options: MessageRouterOptions) {
    this.#options = options;
  }

  /** Never rejects: what fails is told to the client. No route has a route response: what a function returns goes nowhere. */
  async route(connection: GatewayConnection, body: string): Promise<void> {
    const { routes, shapes, counts, invoke, send } = this.#options;
    const action = actionOf(body);
    const routeKey =
      action !== undefined && !action.startsWith('$') && Object.hasOwn(routes, action)
        ? action
        : '$default';
    const route = routes[routeKey];
    try {
      if (route?.function === undefined) return this.#mock(route, routeKey, connection);
      const result = await invoke(route.function, shapes.message(connection, routeKey, body));
      if (!hasStatus(result)) throw new Error('Malformed Lambda proxy response');
    } catch {
      counts.internalErrors += 1;
      send(connection, internalError(connection.id));
    }
  }

  #mock(route: ManifestRoute | undefined, routeKey: string, connection: GatewayConnection): void {
    this.#options.counts.keepAlives += 1;
    if (route?.responseTemplate === undefined) return;
    const text = renderTemplate(route.responseTemplate, connection, routeKey);
    this.#options.send(connection, text);
  }
}

function actionOf(body: string): string | undefined {
  try {
    const value = JSON.parse(body) as unknown;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'action'))
      return undefined;
    const { action } = value as { action: unknown };
    return typeof action === 'string' ? action : undefined;
  } catch {
    return undefined;
  }
}

function hasStatus(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'statusCode' in result;
}

function internalError(connectionId: string): string {
  return JSON.stringify({
    message: 'Internal server error',
    connectionId,
    requestId: randomUUID(),
  });
}
