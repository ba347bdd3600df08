import { once } from 'node:events';
import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterEach, describe, expect, test } from 'vitest';
import type { ConnectEvent } from '../../src/lambda/event.ts';
import { gatewayLimit } from './gateway-limit.ts';
import { ok, startSample, stopSamples } from './gateway-sample.ts';
import { StrictClient } from './strict-client.ts';
import type { StrictGateway } from './strict-gateway.ts';

const clients: ApiGatewayManagementApiClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await stopSamples();
});

function sdk(gateway: StrictGateway): ApiGatewayManagementApiClient {
  const client = new ApiGatewayManagementApiClient({
    endpoint: gateway.connectionsUrl,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
  clients.push(client);
  return client;
}

function post(gateway: StrictGateway, ConnectionId: string, Data: string | Uint8Array) {
  return sdk(gateway).send(new PostToConnectionCommand({ ConnectionId, Data }));
}

const gone = { name: 'GoneException', $metadata: { httpStatusCode: 410 } };
const nobody = 'R0oXAdfD0kwCH6w=';

describe('@connections by the AWS SDK', () => {
  test('a post reaches the client as one text message and is billed by 32 KB', async () => {
    const { gateway } = await startSample();
    const client = await StrictClient.dial(gateway.linkUrl);
    const id = gateway.connections[0]?.id ?? '';
    const text = 'ü'.repeat(20_000);
    expect(await post(gateway, id, text)).toMatchObject({ $metadata: { httpStatusCode: 200 } });
    expect(await client.next()).toBe(text);
    expect(gateway.counts).toMatchObject({ posts: 1, billedUnits: 2, gone: 0 });
  });

  test('a GET tells since when it is open and when a message last went through', async () => {
    const clock = new ManualClock();
    const { gateway } = await startSample({}, { clock });
    const client = await StrictClient.dial(gateway.linkUrl, {
      headers: { Authorization: 't', 'User-Agent': 'agent/1' },
    });
    clock.advance(60_000);
    client.send({ action: 'keep-alive' });
    await client.next();
    clock.advance(60_000);
    const ConnectionId = gateway.connections[0]?.id;
    expect(await sdk(gateway).send(new GetConnectionCommand({ ConnectionId }))).toMatchObject({
      ConnectedAt: new Date(0),
      LastActiveAt: new Date(60_000),
      Identity: { SourceIp: '127.0.0.1', UserAgent: 'agent/1' },
    });
  });

  test('a DELETE is 204, the client sees 1000, and $disconnect is called', async () => {
    const { gateway, got } = await startSample();
    const client = await StrictClient.dial(gateway.linkUrl);
    const ConnectionId = gateway.connections[0]?.id ?? '';
    await post(gateway, ConnectionId, 'bye');
    const disconnected = once(gateway.events, 'disconnected');
    const answer = await sdk(gateway).send(new DeleteConnectionCommand({ ConnectionId }));
    expect(answer.$metadata.httpStatusCode).toBe(204);
    expect(await client.next()).toBe('bye');
    expect((await client.closed).code).toBe(1000);
    await disconnected;
    expect(got.disconnect[0]?.requestContext).toMatchObject({
      disconnectStatusCode: 1000,
      disconnectReason: 'Connection Closed Normally',
    });
    await expect(post(gateway, ConnectionId, 'x')).rejects.toMatchObject(gone);
    expect(gateway.counts).toMatchObject({ deletes: 1, gone: 1 });
  });

  test('an id that nobody has is 410, one that nobody could have is 400', async () => {
    const { gateway } = await startSample();
    await expect(post(gateway, nobody, 'x')).rejects.toMatchObject(gone);
    await expect(post(gateway, 'no such id', 'x')).rejects.toMatchObject({
      name: 'BadRequestException',
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('a post to a connection inside its own $connect is 410', async () => {
    let said: unknown;
    const { gateway } = await startSample({
      connect: async (event: ConnectEvent) => {
        said = await post(gateway, event.requestContext.connectionId, 'x').catch(
          (error: unknown) => error,
        );
        return ok;
      },
    });
    await StrictClient.dial(gateway.linkUrl);
    expect(said).toMatchObject(gone);
  });

  test('over 128 KB is 413; 128 KB pass', async () => {
    const { gateway } = await startSample();
    const client = await StrictClient.dial(gateway.linkUrl);
    const id = gateway.connections[0]?.id ?? '';
    const most = 'x'.repeat(gatewayLimit.messageBytes);
    await expect(post(gateway, id, `${most}x`)).rejects.toMatchObject({
      name: 'PayloadTooLargeException',
      $metadata: { httpStatusCode: 413 },
    });
    await post(gateway, id, most);
    expect(await client.next()).toBe(most);
  });

  test('faults are met by the calls they are for, as often as planned', async () => {
    const { gateway } = await startSample();
    const client = await StrictClient.dial(gateway.linkUrl);
    const id = gateway.connections[0]?.id ?? '';
    const when = ({ text }: { text: string }) => text === 'b';
    gateway.faults.failCall({ status: 429, when, times: 2 });
    gateway.faults.failCall({ status: 500, when: ({ text }) => text === 'c', carriedOut: true });
    await post(gateway, id, 'a');
    const limited = { name: 'LimitExceededException', $metadata: { httpStatusCode: 429 } };
    await expect(post(gateway, id, 'b')).rejects.toMatchObject(limited);
    await expect(post(gateway, id, 'b')).rejects.toMatchObject(limited);
    await expect(post(gateway, id, 'c')).rejects.toMatchObject({
      $metadata: { httpStatusCode: 500 },
    });
    expect([await client.next(), await client.next()]).toEqual(['a', 'c']);
    expect([gateway.faults.pending, gateway.counts.throttled, gateway.counts.failed]).toEqual([
      0, 2, 1,
    ]);
  });

  test('a broken connection is an error without a status', async () => {
    const { gateway } = await startSample();
    gateway.faults.failCall({ status: 0 });
    await expect(post(gateway, nobody, 'x')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('a client that does not read fills its buffer: 429', async () => {
    const { gateway } = await startSample({}, { switches: { clientBufferBytes: 256 * 1024 } });
    const client = await StrictClient.dial(gateway.linkUrl);
    client.socket.pause();
    const id = gateway.connections[0]?.id ?? '';
    const data = 'x'.repeat(gatewayLimit.messageBytes);
    let said: unknown;
    for (let i = 0; i < 200 && said === undefined; i += 1) {
      await post(gateway, id, data).catch((error: unknown) => {
        said = error;
      });
    }
    expect(said).toMatchObject({ name: 'LimitExceededException' });
  });

  test('posts to a client whose cable is pulled are answered 200', async () => {
    const { gateway } = await startSample();
    await StrictClient.dial(gateway.linkUrl);
    const id = gateway.connections[0]?.id ?? '';
    gateway.cut(id);
    expect(await post(gateway, id, 'x')).toMatchObject({ $metadata: { httpStatusCode: 200 } });
  });

  test.each([
    ['unsigned', {}],
    ['with another scheme', { authorization: 'Bearer x', 'x-amz-date': '20261125T000000Z' }],
    [
      'signed for another service',
      {
        authorization: `AWS4-HMAC-SHA256 Credential=A/20261125/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
        'x-amz-date': '20261125T000000Z',
      },
    ],
  ])('a call %s is 403', async (_name, headers) => {
    const { gateway } = await startSample();
    await StrictClient.dial(gateway.linkUrl);
    const id = encodeURIComponent(gateway.connections[0]?.id ?? '');
    const url = `${gateway.connectionsUrl}/@connections/${id}`;
    const answer = await fetch(url, { method: 'POST', body: 'x', headers });
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([
      403,
      'ForbiddenException',
    ]);
  });
});
