import type { IncomingMessage } from 'node:http';
import { judge } from './authorizer-policy.ts';
import type { GatewayConnection } from './gateway-connection.ts';
import { type GatewayEvents, queryOf } from './gateway-event.ts';
import type { GatewaySwitches } from './gateway-switches.ts';
import { HandshakeRefusal } from './handshake-refusal.ts';
import { LambdaError } from './lambda-error.ts';
import type { ManifestRoute } from './manifest.ts';

export interface HandshakeOptions {
  readonly authorizer: string;
  readonly routes: Readonly<Record<string, ManifestRoute>>;
  /** `route.request.header.Name` or `route.request.querystring.name`; all are required. */
  readonly identitySources: readonly string[];
  readonly switches: GatewaySwitches;
  readonly shapes: GatewayEvents;
  invoke(name: string, event: unknown): Promise<unknown>;
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What stands between an upgrade request and its 101: the authorizer, then `$connect`. */
export class Handshake {
  readonly #options: HandshakeOptions;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** The `Sec-WebSocket-Protocol` of the 101, if any. Rejects with `HandshakeRefusal`. */
  async admit(
    connection: GatewayConnection,
    request: IncomingMessage,
  ): Promise<string | undefined> {
    const route = this.#options.routes['$connect'];
    if (route?.authorized === true) {
      connection.authorizer = await this.#authorize(connection, request);
    }
    return route?.function === undefined
      ? undefined
      : this.#connect(route.function, connection, request);
  }

  async #authorize(connection: GatewayConnection, request: IncomingMessage) {
    const { authorizer, shapes, identitySources, switches, invoke } = this.#options;
    if (!identitySources.every((source) => hasSource(request, source))) {
      throw new HandshakeRefusal(401, 'Unauthorized');
    }
    const event = shapes.authorizer(connection, request);
    let answer: unknown;
    try {
      answer = await invoke(authorizer, event);
    } catch (error) {
      throw isUnauthorized(error)
        ? new HandshakeRefusal(401, 'Unauthorized')
        : new HandshakeRefusal(500, 'Internal server error');
    }
    return judge(answer, event.methodArn, switches.contextAsText);
  }

  async #connect(name: string, connection: GatewayConnection, request: IncomingMessage) {
    let answer: unknown;
    try {
      answer = await this.#options.invoke(name, this.#options.shapes.connect(connection, request));
    } catch {
      throw new HandshakeRefusal(502, 'Internal server error');
    }
    const { statusCode, headers = {}, body } = (answer ?? {}) as Record<string, unknown>;
    if (typeof statusCode !== 'number') throw new HandshakeRefusal(502, 'Internal server error');
    const fields = headers as Readonly<Record<string, string>>;
    if (statusCode < 200 || statusCode > 299) {
      throw this.#options.switches.refusalCarriesHeaders
        ? new HandshakeRefusal(statusCode, '', fields, typeof body === 'string' ? body : undefined)
        : new HandshakeRefusal(statusCode, '');
    }
    return subprotocolOf(fields);
  }
}

function hasSource(request: IncomingMessage, source: string): boolean {
  const [, , place, name = ''] = source.split('.');
  const value =
    place === 'header' ? request.headers[name.toLowerCase()] : queryOf(request).get(name);
  return typeof value === 'string' && value !== '';
}

/** Only a handler that throws exactly this means 401 ("Use API Gateway Lambda authorizers"). */
function isUnauthorized(error: unknown): boolean {
  if (!(error instanceof LambdaError) || error.kind !== 'failed') return false;
  const { cause } = error;
  return (cause instanceof Error ? cause.message : cause) === 'Unauthorized';
}

/** Goes into the 101 as it is: whether it was offered, the client checks (RFC 6455 §4.1). */
function subprotocolOf(headers: Readonly<Record<string, string>>): string | undefined {
  const entry = Object.entries(headers).find(
    ([name]) => name.toLowerCase() === 'sec-websocket-protocol',
  );
  if (entry === undefined) return undefined;
  if (!token.test(entry[1])) throw new HandshakeRefusal(502, 'Internal server error');
  return entry[1];
}
