import type { IncomingMessage, ServerResponse } from 'node:http';
import { isConnectionId } from './connection-id.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { GatewayConnection } from './gateway-connection.ts';
import type { GatewayCounts } from './gateway-counts.ts';
import { gatewayLimit } from './gateway-limit.ts';
import type { Hop } from './hop.ts';
import { managementErrors } from './management-error.ts';
import { readBody } from './read-body.ts';

/** The shape of a SigV4 signature for this service; the signature itself is not checked. */
const sigV4 =
  /^AWS4-HMAC-SHA256 Credential=[^/\s]+\/\d{8}\/[a-z0-9-]+\/execute-api\/aws4_request, ?SignedHeaders=[a-z0-9;-]+, ?Signature=[0-9a-f]{64}$/;

export interface ManagementEndpointOptions {
  /** `/stage/@connections/`. */
  readonly prefix: string;
  readonly hop: Hop;
  readonly faults: FaultPlan;
  readonly counts: GatewayCounts;
  connection(id: string): GatewayConnection | undefined;
  /** To the client, over the network; billed. */
  send(connection: GatewayConnection, bytes: Buffer): void;
}

interface Answer {
  readonly status: number;
  readonly body?: string;
}

/** `@connections`: "Use @connections commands in your backend service". */
export class ManagementEndpoint {
  readonly #options: ManagementEndpointOptions;

  constructor(options: ManagementEndpointOptions) {
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { hop, faults, counts } = this.#options;
    const body = await readBody(request, gatewayLimit.messageBytes).catch(() => null);
    if (body === null) return;
    this.#count(request.method);
    await hop.pass();
    const id = this.#connectionId(request.url ?? '');
    const call = {
      method: request.method ?? '',
      connectionId: id ?? '',
      text: body?.toString('utf8') ?? '',
    };
    const fault = faults.call(call);
    let answer = fault ?? { status: 0 };
    if (fault === undefined || fault.carriedOut === true) {
      const carried = this.#carryOut(request, id, body);
      if (fault === undefined) answer = carried;
    }
    counts.answered(answer.status === 0 ? 500 : answer.status);
    if (answer.status === 0) response.destroy();
    else respond(response, answer);
  }

  #carryOut(request: IncomingMessage, id: string | undefined, body: Buffer | undefined): Answer {
    if (
      !sigV4.test(request.headers.authorization ?? '') ||
      request.headers['x-amz-date'] === undefined
    ) {
      return { status: 403 };
    }
    if (id === undefined) return { status: 403 };
    if (!isConnectionId(id)) return { status: 400 };
    const connection = this.#options.connection(id);
    if (connection?.open !== true) return { status: 410 };
    switch (request.method) {
      case 'POST':
        return this.#post(connection, body);
      case 'GET':
        return { status: 200, body: JSON.stringify(description(connection)) };
      case 'DELETE':
        connection.close(1000, 'Connection Closed Normally');
        return { status: 204 };
      default:
        return { status: 403 };
    }
  }

  #post(connection: GatewayConnection, body: Buffer | undefined): Answer {
    if (body === undefined) return { status: 413 };
    if (connection.full) return { status: 429 };
    this.#options.send(connection, body);
    return { status: 200 };
  }

  #count(method: string | undefined): void {
    const { counts } = this.#options;
    if (method === 'POST') counts.posts += 1;
    else if (method === 'GET') counts.gets += 1;
    else if (method === 'DELETE') counts.deletes += 1;
  }

  /** Decoded; undefined for another path, empty for one that cannot be decoded. */
  #connectionId(url: string): string | undefined {
    const [path = ''] = url.split('?');
    if (!path.startsWith(this.#options.prefix)) return undefined;
    try {
      return decodeURIComponent(path.slice(this.#options.prefix.length));
    } catch {
      return '';
    }
  }
}

function description(connection: GatewayConnection): Readonly<Record<string, unknown>> {
  const { identity, connectedAt, lastActiveAt } = connection;
  return {
    connectedAt: new Date(connectedAt).toISOString(),
    identity: { sourceIp: identity.sourceIp, userAgent: identity.userAgent },
    lastActiveAt: new Date(lastActiveAt).toISOString(),
  };
}

function respond(response: ServerResponse, { status, body }: Answer): void {
  const error = managementErrors[status];
  if (error !== undefined) response.setHeader('x-amzn-ErrorType', error.type);
  const text = body ?? error?.body ?? '';
  if (text !== '') response.setHeader('content-type', 'application/json');
  response.statusCode = status;
  response.end(text);
}
