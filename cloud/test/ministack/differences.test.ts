import {
  ApiGatewayV2Client,
  CreateIntegrationCommand,
  CreateIntegrationResponseCommand,
  CreateRouteCommand,
  CreateRouteResponseCommand,
} from '@aws-sdk/client-apigatewayv2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { HttpEvent, MessageEvent } from '../../src/lambda/event.ts';
import { describeWithMinistack } from './describe-with-ministack.ts';
import { DialledSocket, refusal } from './dial.ts';
import { PlantedRelay } from './planted-relay.ts';

/**
 * What ministack 1.5.33 does otherwise than AWS, each with what AWS does (AWS.md). Where one of these fails, ministack
 * has changed: take the work-around away, and the line out of docs/hosts.md.
 */
describeWithMinistack('ministack is known to differ from AWS', () => {
  let planted: PlantedRelay;
  beforeAll(async () => {
    planted = await PlantedRelay.start();
  });
  afterAll(() => planted?.stop());

  const agent = { headers: { Authorization: 'agent plant-7' } };
  const eventOf = async (socket: DialledSocket): Promise<MessageEvent> =>
    (await socket.ask({ action: 'event' }))['event'] as MessageEvent;

  it('a handshake that offers a subprotocol is answered without one (AWS: with that of $connect)', async () => {
    const offered = DialledSocket.dial(planted.relay.linkUrl, agent, ['pullwire.v1+json']);
    await expect(offered).rejects.toThrow('Server sent no subprotocol');
  });

  it('an authorizer that throws "Unauthorized" is a 500 (AWS: 401)', async () => {
    const headers = { Authorization: 'unauthorized' };
    expect(await refusal(planted.relay.linkUrl, { headers })).toBe(500);
  });

  it('a refusal by $connect is a 403, whatever its status (AWS: that status)', async () => {
    expect(await refusal(`${planted.relay.linkUrl}?refuse=426`, agent)).toBe(403);
  });

  it('values of the authorizer come back as text', async () => {
    const socket = await planted.dial();
    const { authorizer } = (await eventOf(socket)).requestContext;
    expect(authorizer).toMatchObject({ level: '7', known: 'true' });
    await socket.close();
  });

  it('connectedAt is the time of the event (AWS: of the handshake)', async () => {
    const socket = await planted.dial();
    const { requestContext } = await eventOf(socket);
    expect(requestContext.connectedAt).toBe(requestContext.requestTimeEpoch);
    await socket.close();
  });

  it('a connection that was deleted reports 1005 to $disconnect (AWS: 1000)', async () => {
    const socket = await planted.dial();
    const { connectionId } = (await eventOf(socket)).requestContext;
    socket.send(JSON.stringify({ action: 'delete' }));
    await socket.closed;
    const codes = async (): Promise<unknown> => {
      const seen = await planted.ask<{ event: MessageEvent }[]>('/seen?disconnect');
      return seen
        .map(({ event }) => event.requestContext)
        .find((context) => context.connectionId === connectionId)?.disconnectStatusCode;
    };
    await expect.poll(codes, { timeout: 5_000 }).toBe(1005);
  });

  it('what is asked about a connection comes back under other names (AWS: connectedAt, lastActiveAt, identity)', async () => {
    const socket = await planted.dial();
    expect(Object.keys(await socket.ask({ action: 'get' }))).toEqual(['$metadata']);
    await socket.close();
  });

  it('a MOCK integration answers with its template as it is written (AWS: rendered)', async () => {
    await createMockRoute(planted, 'mock', '{"id":"$context.connectionId"}');
    const socket = await planted.dial();
    expect(await socket.ask({ action: 'mock' })).toEqual({ id: '$context.connectionId' });
    await socket.close();
  });

  it('a function that fails says why to the client, and loses its process (AWS: neither)', async () => {
    const socket = await planted.dial();
    const { pid } = await socket.ask({ action: 'pid' });
    socket.send('{"action":"fail"}');
    expect(await socket.next()).toBe('this handler fails');
    expect((await socket.ask({ action: 'pid' }))['pid']).not.toBe(pid);
    await socket.close();
  });

  it('binary messages and messages over 128 KB reach the function (AWS: closes with 1003, 1009)', async () => {
    const socket = await planted.dial();
    const message = Buffer.from(JSON.stringify({ action: 'pid', long: 'x'.repeat(200_000) }));
    socket.send(message);
    expect(JSON.parse(await socket.next())).toHaveProperty('pid');
    await socket.close();
  });

  it('the path of a request comes decoded, its query sorted by name and written anew (AWS: as sent)', async () => {
    const event = await planted.ask<HttpEvent>('/a%2Fb/c%20d?x=1&y&x=2+3');
    expect(event.rawPath).toBe('/a/b/c d');
    expect(event.rawQueryString).toBe('x=1&x=2%203&y=');
  });

  it('there is no streaming: `awslambda` is only what the SDK of the function makes of it', async () => {
    const said = await planted.ask<{ streams: boolean }>('/node');
    expect(said.streams).toBe(false);
  });
});

async function createMockRoute(
  { ministack, relay }: PlantedRelay,
  RouteKey: string,
  template: string,
): Promise<void> {
  const client = new ApiGatewayV2Client(ministack.client);
  const ApiId = new URL(relay.linkUrl).pathname.split('/')[3];
  const { IntegrationId } = await client.send(
    new CreateIntegrationCommand({
      ApiId,
      IntegrationType: 'MOCK',
      TemplateSelectionExpression: '\\$default',
      RequestTemplates: { $default: '{"statusCode":200}' },
    }),
  );
  await client.send(
    new CreateIntegrationResponseCommand({
      ApiId,
      IntegrationId,
      IntegrationResponseKey: '$default',
      ResponseTemplates: { $default: template },
    }),
  );
  const { RouteId } = await client.send(
    new CreateRouteCommand({ ApiId, RouteKey, Target: `integrations/${IntegrationId}` }),
  );
  await client.send(
    new CreateRouteResponseCommand({ ApiId, RouteId, RouteResponseKey: '$default' }),
  );
  client.destroy();
}
