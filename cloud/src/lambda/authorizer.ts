import { type Clock, PullFault } from '@pullwire/shared';
import type { AgentAuth } from '../auth/agent-auth.ts';
import { isChannelToken } from '../auth/channel-token.ts';
import type { AuthorizerContext, AuthorizerEvent, AuthorizerResult } from './event.ts';

export interface AuthorizerParts {
  readonly agents: Pick<AgentAuth, 'authenticate'>;
  readonly channelKey: Uint8Array;
  /** The host of the URL that is dialled (PROTOCOL.md, "Handshake"). */
  readonly audience: string;
  /** Whether the token may come as `?token=`, for clients that cannot set headers. */
  readonly tokenInQuery: boolean;
  readonly clock: Clock;
  /** A handshake was refused; `detail` is for the log. */
  refused(detail: string, cause: unknown): void;
}

/**
 * Decides on a handshake. Throws the one error that API Gateway answers with 401 ("Unauthorized"); any other is a 500,
 * and the agent dials again.
 */
export function createAuthorizer(parts: AuthorizerParts) {
  return async (event: AuthorizerEvent): Promise<AuthorizerResult> => {
    const token = tokenOf(event, parts.tokenInQuery);
    const { agents, channelKey, audience, clock } = parts;
    if (token !== undefined && (await isChannelToken(token, channelKey, audience, clock.wall()))) {
      return allow(event, 'reply-channel', { role: 'channel' });
    }
    try {
      const { identity } = await agents.authenticate(token, [audience]);
      const { device, instance, keyId } = identity;
      return allow(event, device, { role: 'agent', device, instance, keyId });
    } catch (error) {
      if (!(error instanceof PullFault) || error.status !== 401) throw error;
      parts.refused(error.message, error.cause);
      throw new Error('Unauthorized', { cause: error });
    }
  };
}

function allow(
  { methodArn }: AuthorizerEvent,
  principalId: string,
  context: AuthorizerContext,
): AuthorizerResult {
  return {
    principalId,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: methodArn }],
    },
    context,
  };
}

function tokenOf(event: AuthorizerEvent, inQuery: boolean): string | undefined {
  const header = Object.entries(event.headers ?? {}).find(
    ([name]) => name.toLowerCase() === 'authorization',
  )?.[1];
  const match = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header ?? '');
  if (match !== null) return match[1];
  return inQuery ? event.queryStringParameters?.['token'] : undefined;
}
