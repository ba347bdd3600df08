import { once } from 'node:events';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterEach, describe, expect, test } from 'vitest';
import { gatewayLimit } from './gateway-limit.ts';
import { startSample, stopSamples } from './gateway-sample.ts';
import { StrictClient } from './strict-client.ts';

afterEach(stopSamples);

const minute = 60_000;

describe('a connection of the strict gateway', () => {
  test('a message in frames of 32 KB up to 128 KB comes whole', async () => {
    const { gateway, got } = await startSample();
    const client = await StrictClient.dial(gateway.linkUrl);
    const frame = 'x'.repeat(gatewayLimit.frameBytes);
    for (let i = 0; i < 4; i += 1) client.socket.send(frame, { fin: i === 3 });
    client.send({ action: 'keep-alive' });
    await client.next();
    await gateway.settled();
    expect(got.message[0]?.body).toHaveLength(gatewayLimit.messageBytes);
    expect(gateway.counts.billedUnits).toBe(4 + 2);
  });

  test.each([
    [
      'a frame over 32 KB',
      (client: StrictClient) => client.send('x'.repeat(gatewayLimit.frameBytes + 1)),
    ],
    [
      'a message over 128 KB',
      (client: StrictClient) => {
        const frame = 'x'.repeat(gatewayLimit.frameBytes);
        for (let i = 0; i < 4; i += 1) client.socket.send(frame, { fin: false });
        client.socket.send('x');
      },
    ],
  ])('%s closes with 1009', async (_name, send) => {
    const { gateway, got } = await startSample();
    const client = await StrictClient.dial(gateway.linkUrl);
    const disconnected = once(gateway.events, 'disconnected');
    send(client);
    expect((await client.closed).code).toBe(1009);
    await disconnected;
    expect(got.message).toEqual([]);
    expect(got.disconnect[0]?.requestContext.disconnectStatusCode).toBe(1009);
  });

  test('a binary frame closes with 1003', async () => {
    const { gateway, got } = await startSample();
    const client = await StrictClient.dial(gateway.linkUrl);
    client.socket.send(Buffer.from('{}'), { binary: true });
    expect((await client.closed).code).toBe(1003);
    expect(got.message).toEqual([]);
  });

  test('10 idle minutes close with 1001, and $disconnect says so', async () => {
    const clock = new ManualClock();
    const { gateway, got } = await startSample({}, { clock });
    const client = await StrictClient.dial(gateway.linkUrl);
    clock.advance(9 * minute);
    client.send({ action: 'keep-alive' });
    await client.next();
    clock.advance(10 * minute - 1);
    expect(gateway.connections).toHaveLength(1);
    const disconnected = once(gateway.events, 'disconnected');
    clock.advance(1);
    expect(await client.closed).toEqual({ code: 1001, reason: 'Going away' });
    await disconnected;
    expect(got.disconnect[0]).toMatchObject({
      isBase64Encoded: false,
      requestContext: {
        routeKey: '$disconnect',
        eventType: 'DISCONNECT',
        connectedAt: 0,
        requestTimeEpoch: 19 * minute,
        disconnectStatusCode: 1001,
        disconnectReason: 'Going away',
        authorizer: { principalId: 'plant-7', device: 'plant-7' },
      },
    });
  });

  test('2 hours close with 1001, however busy it is', async () => {
    const clock = new ManualClock();
    const { gateway } = await startSample({}, { clock });
    const client = await StrictClient.dial(gateway.linkUrl);
    for (let i = 0; i < 15; i += 1) {
      clock.advance(8 * minute - 1);
      client.send({ action: 'keep-alive' });
      await client.next();
    }
    clock.advance(15);
    expect((await client.closed).code).toBe(1001);
  });

  test.each([
    [false, 0],
    [true, 1],
  ])('pings are answered; that they reset the idle time is %s', async (pingsResetIdle, left) => {
    const clock = new ManualClock();
    const { gateway } = await startSample({}, { clock, switches: { pingsResetIdle } });
    const client = await StrictClient.dial(gateway.linkUrl);
    clock.advance(9 * minute);
    client.socket.ping('p');
    const [payload] = (await once(client.socket, 'pong')) as [Buffer];
    expect(payload.toString()).toBe('p');
    clock.advance(minute);
    expect(gateway.connections).toHaveLength(left);
  });

  test.each([
    ['with a code', 4000, 'done', 4000, 'done'],
    ['without one', undefined, undefined, 1005, 'Client-side close frame status not set'],
  ])(
    'a client that closes %s is told to $disconnect',
    async (_name, code, reason, status, said) => {
      const { gateway, got } = await startSample();
      const client = await StrictClient.dial(gateway.linkUrl);
      client.socket.close(code, reason);
      await once(gateway.events, 'disconnected');
      expect(got.disconnect[0]?.requestContext).toMatchObject({
        disconnectStatusCode: status,
        disconnectReason: said,
      });
    },
  );

  test('a broken TCP connection is 1006 on both sides', async () => {
    const { gateway, got } = await startSample();
    const client = await StrictClient.dial(gateway.linkUrl);
    const disconnected = once(gateway.events, 'disconnected');
    gateway.connections[0]?.drop();
    expect((await client.closed).code).toBe(1006);
    await disconnected;
    expect(got.disconnect[0]?.requestContext.disconnectStatusCode).toBe(1006);
  });

  test('a cut the gateway does not see lasts until the idle time-out', async () => {
    const clock = new ManualClock();
    const { gateway, got } = await startSample({}, { clock });
    const client = await StrictClient.dial(gateway.linkUrl);
    gateway.cut(gateway.connections[0]?.id ?? '');
    expect((await client.closed).code).toBe(1006);
    expect([gateway.connections.length, got.disconnect.length]).toEqual([1, 0]);
    const disconnected = once(gateway.events, 'disconnected');
    clock.advance(10 * minute);
    await disconnected;
    expect(got.disconnect[0]?.requestContext.disconnectStatusCode).toBe(1001);
    expect(gateway.connections).toHaveLength(0);
  });

  test('a silenced connection hears nothing and says nothing', async () => {
    const clock = new ManualClock();
    const { gateway, got } = await startSample({}, { clock });
    const client = await StrictClient.dial(gateway.linkUrl);
    gateway.connections[0]?.silence();
    client.send('lost');
    const gone = once(gateway.events, 'gone');
    clock.advance(10 * minute);
    await gone;
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    expect(got.message).toEqual([]);
  });
});
