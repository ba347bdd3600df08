import {
  ApiGatewayV2Client,
  CreateApiCommand,
  CreateAuthorizerCommand,
  CreateDeploymentCommand,
  CreateIntegrationCommand,
  CreateRouteCommand,
  CreateStageCommand,
} from '@aws-sdk/client-apigatewayv2';
import type { FunctionRoute, MockRoute, RelayManifest } from '../relay-manifest.ts';
import { type CreatedFunctions, functionNamed } from './deploy-functions.ts';
import type { Ministack } from './ministack.ts';
import { createMockFunction } from './mock-function.ts';

/** Resolves with the API's id, of which the addresses are made that the functions are given. */
export async function createWebSocketApi(
  ministack: Ministack,
  name: string,
  { routeSelectionExpression }: RelayManifest['webSocket'],
): Promise<string> {
  const client = new ApiGatewayV2Client(ministack.client);
  try {
    const { ApiId } = await client.send(
      new CreateApiCommand({
        Name: name,
        ProtocolType: 'WEBSOCKET',
        RouteSelectionExpression: routeSelectionExpression,
      }),
    );
    return made('API', ApiId);
  } finally {
    client.destroy();
  }
}

export interface RoutesPlan {
  readonly apiId: string;
  readonly stage: string;
  readonly name: string;
  readonly manifest: RelayManifest;
  readonly functions: CreatedFunctions;
}

/** Authorizer, routes with their integrations, deployment and stage. */
export async function deployRoutes(ministack: Ministack, plan: RoutesPlan): Promise<void> {
  const client = new ApiGatewayV2Client(ministack.client);
  const { apiId: ApiId, stage: StageName } = plan;
  try {
    const authorizerId = await createAuthorizer(client, ministack.region, plan);
    for (const [key, route] of Object.entries(plan.manifest.webSocket.routes)) {
      const arn = await targetOf(ministack, plan, key, route);
      const { IntegrationId } = await client.send(
        new CreateIntegrationCommand({
          ApiId,
          IntegrationType: 'AWS_PROXY',
          IntegrationMethod: 'POST',
          IntegrationUri: invocationUri(ministack.region, arn),
        }),
      );
      await client.send(
        new CreateRouteCommand({
          ApiId,
          RouteKey: key,
          Target: `integrations/${made('integration', IntegrationId)}`,
          ...('authorized' in route && route.authorized === true
            ? { AuthorizationType: 'CUSTOM', AuthorizerId: authorizerId }
            : {}),
        }),
      );
    }
    const { DeploymentId } = await client.send(new CreateDeploymentCommand({ ApiId }));
    await client.send(
      new CreateStageCommand({ ApiId, StageName, DeploymentId: made('deployment', DeploymentId) }),
    );
  } finally {
    client.destroy();
  }
}

async function createAuthorizer(
  client: ApiGatewayV2Client,
  region: string,
  { apiId, name, manifest, functions }: RoutesPlan,
): Promise<string> {
  const { arn } = functionNamed(functions, manifest.webSocket.authorizer);
  const { AuthorizerId } = await client.send(
    new CreateAuthorizerCommand({
      ApiId: apiId,
      Name: name,
      AuthorizerType: 'REQUEST',
      AuthorizerUri: invocationUri(region, arn),
      IdentitySource: ['route.request.header.Authorization'],
    }),
  );
  return made('authorizer', AuthorizerId);
}

/** The ARN of the function that answers a route. ministack's MOCK renders no template: a function does it here. */
async function targetOf(
  ministack: Ministack,
  { name, manifest, functions }: RoutesPlan,
  key: string,
  route: FunctionRoute | MockRoute,
): Promise<string> {
  if ('function' in route) return functionNamed(functions, route.function).arn;
  if (typeof route.responseTemplate !== 'string') {
    throw new Error(`relay.json: the route "${key}" has neither a function nor a responseTemplate`);
  }
  return (await createMockFunction(ministack, manifest, `${name}-mock-${key}`, route)).arn;
}

function invocationUri(region: string, arn: string): string {
  return `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${arn}/invocations`;
}

function made(what: string, id: string | undefined): string {
  if (id === undefined) throw new Error(`ministack made no ${what}`);
  return id;
}
