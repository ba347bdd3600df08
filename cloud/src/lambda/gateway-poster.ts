import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { PostError, type PostErrorCode, type Poster } from '../connection/poster.ts';
import { type AwsPlace, sdkCredentials } from './aws-credentials.ts';

/** By status, not by name: without its header the SDK calls a 410 "Unknown" (AWS.md, "@connections"). */
const codes: Readonly<Record<number, PostErrorCode>> = {
  400: 'gone',
  410: 'gone',
  413: 'too-large',
  429: 'full',
};

/** Milliseconds: a post that takes longer is not made twice. */
const times = { connectionTimeout: 2_000, requestTimeout: 10_000 };

/** `endpoint`: https, with the stage. The credentials are those of the function's role. */
export function gatewayPoster(endpoint: string, place: AwsPlace): GatewayPoster {
  const { region } = place;
  const credentials = sdkCredentials(place);
  return new GatewayPoster(
    new ApiGatewayManagementApiClient({
      endpoint,
      region,
      credentials,
      maxAttempts: 1,
      requestHandler: { ...times, throwOnRequestTimeout: true },
    }),
  );
}

/** Posts through API Gateway's `@connections`. The client must be made with `maxAttempts: 1`. */
export class GatewayPoster implements Poster {
  readonly #client: ApiGatewayManagementApiClient;

  constructor(client: ApiGatewayManagementApiClient) {
    this.#client = client;
  }

  async post(connectionId: string, text: string): Promise<void> {
    try {
      await this.#client.send(
        new PostToConnectionCommand({ ConnectionId: connectionId, Data: Buffer.from(text) }),
      );
    } catch (cause) {
      throw toPostError('post to', cause);
    }
  }

  async disconnect(connectionId: string): Promise<void> {
    try {
      await this.#client.send(new DeleteConnectionCommand({ ConnectionId: connectionId }));
    } catch (cause) {
      const error = toPostError('close', cause);
      if (error.code !== 'gone') throw error;
    }
  }
}

function toPostError(verb: string, cause: unknown): PostError {
  const metadata = (cause as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata;
  const status = metadata?.httpStatusCode;
  const code = (status === undefined ? undefined : codes[status]) ?? 'failed';
  const reason = status === undefined ? nameOf(cause) : `status ${status}`;
  return new PostError(code, `cannot ${verb} the connection: ${reason}`, { cause });
}

function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
