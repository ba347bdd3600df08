import { type Clock, type ErrorCode, PullFault } from '@pullwire/shared';
import type { AgentAuth } from '../auth/agent-auth.ts';
import { isChannelToken } from '../auth/channel-token.ts';
import { agentContext } from './agent-context.ts';
import type { AuthorizerContext, AuthorizerEvent, AuthorizerResult } from './event.ts';

export interface AuthorizerParts {
  readonly agents: Pick<AgentAuth, 'authenticate'>;
  readonly channelKey: Uint8Array;
  /** The host of the URL that is dialled (PROTOCOL.md, "Handshake"). */
  readonly audience: string;
  /** Whether the token may come as `?token=`, for clients that cannot set headers. */
  readonly tokenInQuery: boolean;
  readonly clock: Clock;
  /** A handshake was refused; code and detail are for the log. */
  refused(code: ErrorCode, detail: string, cause: unknown): void;
}

/**
 * Decides on a handshake. Throws the one error that API Gateway answers with 401 ("Unauthorized"); a device that was
 * revoked is denied, which is a 403; any other error is a 500, and the agent dials again.
 */
export function createAuthorizer(parts: AuthorizerParts) {
  return async (event: AuthorizerEvent): Promise<AuthorizerResult> => {
    const token = tokenOf(event, parts.tokenInQuery);
    const { agents, channelKey, audience, clock } = parts;
    if (token !== undefined && (await isChannelToken(token, channelKey, audience, clock.wall()))) {
      return verdict(event, 'Allow', 'reply-channel', { role: 'channel' });
    }
    try {
      const agent = await agents.authenticate(token, [audience]);
      const context = agentContext(agent);
      if (JSON.stringify(context).length > contextBytes) throw tooManyLabels();
      return verdict(event, 'Allow', agent.identity.device, context);
    } catch (error) {
      if (!(error instanceof PullFault) || !refusals.has(error.status)) throw error;
      parts.refused(error.code, error.message, error.cause);
      if (error.status === 403) return verdict(event, 'Deny', 'revoked');
      throw new Error('Unauthorized', { cause: error });
    }
  };
}

/** API Gateway takes 8 KB with the policy (AWS.md, "Limits of a WebSocket API"); only an issuer's labels can be so long. */
const contextBytes = 6_000;

function tooManyLabels(): PullFault {
  const detail = 'the labels in the token are too long for this relay';
  return new PullFault('link-unauthenticated', 'caller-auth', { detail });
}

/** The two that an authorizer can say. */
const refusals: ReadonlySet<number> = new Set([401, 403]);

function verdict(
  { methodArn }: AuthorizerEvent,
  effect: 'Allow' | 'Deny',
  principalId: string,
  context: AuthorizerContext = {},
): AuthorizerResult {
  return {
    principalId,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: effect, Resource: methodArn }],
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
