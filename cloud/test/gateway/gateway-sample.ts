import type {
  AuthorizerEvent,
  AuthorizerResult,
  ConnectEvent,
  DisconnectEvent,
  MessageEvent,
  RouteResult,
} from '../../src/lambda/event.ts';
import type { StrictGatewayOptions } from './gateway-options.ts';
import { StrictGateway } from './strict-gateway.ts';

/** Functions that say yes, for tests of the gateway itself; each test replaces what it is about. */
export interface SampleHandlers {
  authorizer(event: AuthorizerEvent): Promise<unknown>;
  connect(event: ConnectEvent): Promise<unknown>;
  message(event: MessageEvent): Promise<unknown>;
  disconnect(event: DisconnectEvent): Promise<unknown>;
}

export interface GatewaySample {
  readonly gateway: StrictGateway;
  /** The events that each function got. */
  readonly got: {
    readonly authorizer: AuthorizerEvent[];
    readonly connect: ConnectEvent[];
    readonly message: MessageEvent[];
    readonly disconnect: DisconnectEvent[];
  };
}

export const ok: RouteResult = { statusCode: 200 };

/** What an authorizer answers for `event`. */
export function verdict(
  event: AuthorizerEvent,
  effect: 'Allow' | 'Deny' = 'Allow',
  context: AuthorizerResult['context'] = { role: 'agent', device: 'plant-7' },
): AuthorizerResult {
  return {
    principalId: 'plant-7',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: effect, Resource: event.methodArn }],
    },
    context,
  };
}

const running: StrictGateway[] = [];

export async function startSample(
  handlers: Partial<SampleHandlers> = {},
  options: Partial<StrictGatewayOptions> = {},
): Promise<GatewaySample> {
  const got: GatewaySample['got'] = { authorizer: [], connect: [], message: [], disconnect: [] };
  const say: SampleHandlers = {
    authorizer: async (event) => verdict(event),
    connect: async () => ok,
    message: async () => ok,
    disconnect: async () => ok,
    ...handlers,
  };
  const gateway = await StrictGateway.start({
    functions: () => ({
      authorizer: () => async (event: AuthorizerEvent) => {
        got.authorizer.push(event);
        return say.authorizer(event);
      },
      connect: () => async (event: ConnectEvent) => {
        got.connect.push(event);
        return say.connect(event);
      },
      message: () => async (event: MessageEvent) => {
        got.message.push(event);
        return say.message(event);
      },
      disconnect: () => async (event: DisconnectEvent) => {
        got.disconnect.push(event);
        return say.disconnect(event);
      },
    }),
    ...options,
  });
  running.push(gateway);
  return { gateway, got };
}

/** For `afterEach`. */
export async function stopSamples(): Promise<void> {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()));
}
