import { once } from 'node:events';
import { connect } from 'node:net';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ok, startSample, stopSamples, verdict } from './gateway-sample.ts';
import { StrictClient } from './strict-client.ts';

afterEach(stopSamples);

describe('a handshake at the strict gateway', () => {
  test('the connect event has the headers in the client’s case, the query, and no authorizer’s secrets', async () => {
    const { gateway, got } = await startSample();
    await StrictClient.dial(`${gateway.linkUrl}?a=1&a=2&b=x%20y`, {
      headers: { AuthoriZation: 'Bearer t', 'User-Agent': 'agent/1' },
      protocols: [],
    });
    const [event] = got.connect;
    expect(event).toMatchObject({
      headers: { AuthoriZation: 'Bearer t', 'User-Agent': 'agent/1' },
      queryStringParameters: { a: '2', b: 'x y' },
      isBase64Encoded: false,
      requestContext: {
        routeKey: '$connect',
        eventType: 'CONNECT',
        messageDirection: 'IN',
        stage: 'live',
        identity: { sourceIp: '127.0.0.1', userAgent: 'agent/1' },
        authorizer: { principalId: 'plant-7', role: 'agent', device: 'plant-7' },
      },
    });
    expect(event?.requestContext.connectionId).toMatch(/^[\w-]{15}=$/);
    expect(got.authorizer[0]).toMatchObject({ type: 'REQUEST' });
    expect(got.authorizer[0]?.methodArn).toMatch(/^arn:aws:execute-api:.*\/live\/\$connect$/);
    expect(gateway.counts).toMatchObject({ opened: 1, invocations: { authorizer: 1, connect: 1 } });
  });

  test('without the identity source it is 401, and no function is called', async () => {
    const { gateway } = await startSample();
    await expect(StrictClient.dial(gateway.linkUrl, { headers: {} })).rejects.toMatchObject({
      status: 401,
    });
    expect(gateway.counts).toMatchObject({ refused: 1, invocations: {} });
  });

  test('an identity source in the query is required as well', async () => {
    const { gateway } = await startSample(
      {},
      { identitySources: ['route.request.querystring.token'] },
    );
    await expect(StrictClient.dial(gateway.linkUrl)).rejects.toMatchObject({ status: 401 });
    await StrictClient.dial(`${gateway.linkUrl}?token=t`, { headers: {} });
  });

  test.each([
    ['throws Unauthorized: 401', () => Promise.reject(new Error('Unauthorized')), 401],
    ['throws something else: 500', () => Promise.reject(new Error('unauthorized')), 500],
    ['answers no policy: 500', async () => ({ principalId: 'p' }), 500],
    ['answers nothing: 500', async () => undefined, 500],
  ])('an authorizer that %s', async (_name, authorizer, status) => {
    const { gateway } = await startSample({ authorizer });
    await expect(StrictClient.dial(gateway.linkUrl)).rejects.toMatchObject({ status });
    expect(gateway.counts.invocations).toEqual({ authorizer: 1 });
  });

  test('Deny is 403, and so is an Allow for another resource', async () => {
    const denied = await startSample({ authorizer: async (event) => verdict(event, 'Deny') });
    await expect(StrictClient.dial(denied.gateway.linkUrl)).rejects.toMatchObject({ status: 403 });
    const foreign = await startSample({
      authorizer: async (event) => verdict({ ...event, methodArn: `${event.methodArn}x` }),
    });
    await expect(StrictClient.dial(foreign.gateway.linkUrl)).rejects.toMatchObject({ status: 403 });
  });

  test.each([
    ['an object', { device: { id: 'x' } }],
    ['null', { device: null }],
    ['over 8 KB', { device: 'x'.repeat(8200) }],
  ])('a context with %s is 500', async (_name, context) => {
    const { gateway } = await startSample({
      authorizer: async (event) => ({ ...verdict(event), context }),
    });
    await expect(StrictClient.dial(gateway.linkUrl)).rejects.toMatchObject({ status: 500 });
  });

  test('a crashed authorizer is 500, and its next call is a cold start', async () => {
    const { gateway } = await startSample();
    gateway.lambda('authorizer').failNext({ kind: 'crash' });
    await expect(StrictClient.dial(gateway.linkUrl)).rejects.toMatchObject({ status: 500 });
    await StrictClient.dial(gateway.linkUrl);
    expect(gateway.lambda('authorizer').counts.coldStarts).toBe(2);
  });

  test('the status of $connect is passed on, without its headers unless the switch says so', async () => {
    const connectHandler = async () => ({ statusCode: 429, headers: { 'Retry-After': '7' } });
    const plain = await startSample({ connect: connectHandler });
    const refused = await StrictClient.dial(plain.gateway.linkUrl).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 429 });
    expect(refused).not.toHaveProperty('headers.retry-after');
    const switches = { refusalCarriesHeaders: true };
    const open = await startSample({ connect: connectHandler }, { switches });
    await expect(StrictClient.dial(open.gateway.linkUrl)).rejects.toMatchObject({
      status: 429,
      headers: { 'retry-after': '7' },
    });
  });

  test.each([
    ['throws', () => Promise.reject(new Error('x'))],
    ['answers no status', async () => ({})],
    [
      'answers a subprotocol with a line break',
      async () => ({ ...ok, headers: { 'Sec-WebSocket-Protocol': 'a\r\nX: y' } }),
    ],
  ])('$connect that %s is 502', async (_name, connectHandler) => {
    const { gateway } = await startSample({ connect: connectHandler });
    await expect(StrictClient.dial(gateway.linkUrl)).rejects.toMatchObject({ status: 502 });
  });

  test('refusals say the time, by the gateway’s clock, and acceptances where the switch says so', async () => {
    const clock = new ManualClock();
    const late = await startSample({}, { clock });
    const refused = StrictClient.dial(late.gateway.linkUrl, { headers: {} });
    const date = 'Thu, 01 Jan 1970 00:00:00 GMT';
    await expect(refused).rejects.toMatchObject({ headers: { date } });
    const { gateway } = await startSample();
    const dateOf101 = async (url: string) => {
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      const socket = new WebSocket(url, { headers: { Authorization: 'Bearer x' } });
      socket.once('upgrade', ({ headers }) => resolve(headers.date));
      return promise.finally(() => socket.close());
    };
    expect(await dateOf101(gateway.linkUrl)).toBeUndefined();
    const dated = await startSample({}, { switches: { datesAcceptance: true } });
    expect(Date.parse((await dateOf101(dated.gateway.linkUrl)) ?? '')).toBeGreaterThan(0);
  });

  test('the upgrade is held until $connect has answered', async () => {
    const { gateway } = await startSample();
    const hold = gateway.lambda('connect').holdNext();
    let open = false;
    const dialled = StrictClient.dial(gateway.linkUrl).then((client) => {
      open = true;
      return client;
    });
    await hold.arrived;
    expect([open, gateway.connections.length]).toEqual([false, 0]);
    hold.release();
    await dialled;
    expect(gateway.connections).toHaveLength(1);
  });

  test('only the subprotocol that $connect names is in the 101', async () => {
    const { gateway } = await startSample({
      connect: async () => ({ ...ok, headers: { 'sec-websocket-protocol': 'b', 'X-Other': 'y' } }),
    });
    const client = await StrictClient.dial(gateway.linkUrl, { protocols: ['a', 'b'] });
    expect(client.socket.protocol).toBe('b');
  });

  test.each([
    ['none of those offered', { 'Sec-WebSocket-Protocol': 'c' }],
    ['none at all', {}],
  ])('a client that gets %s fails', async (_name, headers) => {
    const { gateway } = await startSample({ connect: async () => ({ ...ok, headers }) });
    const dialled = StrictClient.dial(gateway.linkUrl, { protocols: ['a', 'b'] });
    await expect(dialled).rejects.toThrow(/subprotocol/);
  });

  test('a handshake at another stage is 403, and a planned one is what was planned', async () => {
    const { gateway } = await startSample();
    await expect(StrictClient.dial(`${gateway.linkUrl}x`)).rejects.toMatchObject({ status: 403 });
    gateway.faults.failUpgrade(429);
    await expect(StrictClient.dial(gateway.linkUrl)).rejects.toMatchObject({ status: 429 });
    expect([gateway.faults.pending, gateway.counts.invocations]).toEqual([0, {}]);
  });

  test('a client that leaves while it is held is told to $disconnect', async () => {
    const { gateway, got } = await startSample();
    const hold = gateway.lambda('connect').holdNext();
    const url = new URL(gateway.linkUrl);
    const socket = connect(Number(url.port), url.hostname);
    socket.write(
      `GET /live HTTP/1.1\r\nHost: x\r\nAuthorization: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
    );
    await hold.arrived;
    socket.resetAndDestroy();
    await once(socket, 'close');
    hold.release();
    await once(gateway.events, 'disconnected');
    expect(got.disconnect[0]?.requestContext).toMatchObject({
      disconnectStatusCode: 1006,
      disconnectReason: 'Connection Closed Abnormally',
    });
    expect(gateway.connections).toHaveLength(0);
  });
});
