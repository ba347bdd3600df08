import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterEach, describe, expect, test } from 'vitest';
import { ok, startSample, stopSamples, verdict } from './gateway-sample.ts';
import { StrictClient } from './strict-client.ts';

afterEach(stopSamples);

describe('a message at the strict gateway', () => {
  test('its event has the authorizer’s context as text, and neither headers nor query', async () => {
    const { gateway, got } = await startSample({
      authorizer: async (event) =>
        verdict(event, 'Allow', { device: 'plant-7', age: 3, fresh: true }),
    });
    const client = await StrictClient.dial(`${gateway.linkUrl}?a=1`);
    client.send({ action: 'keep-alive' });
    client.send({ action: 'hello', text: 'ü' });
    await client.next();
    await gateway.settled();
    const [event] = got.message;
    expect(event).toMatchObject({
      body: '{"action":"hello","text":"ü"}',
      isBase64Encoded: false,
      requestContext: {
        routeKey: '$default',
        eventType: 'MESSAGE',
        authorizer: { principalId: 'plant-7', device: 'plant-7', age: '3', fresh: 'true' },
      },
    });
    expect(Object.keys(event ?? {}).sort()).toEqual(['body', 'isBase64Encoded', 'requestContext']);
    expect(event?.requestContext.connectionId).toBe(got.connect[0]?.requestContext.connectionId);
    expect(event?.requestContext.messageId).toBeDefined();
  });

  test('a switch leaves numbers and booleans of the context as they are', async () => {
    const { gateway, got } = await startSample(
      { authorizer: async (event) => verdict(event, 'Allow', { age: 3, fresh: true }) },
      { switches: { contextAsText: false } },
    );
    await StrictClient.dial(gateway.linkUrl);
    expect(got.connect[0]?.requestContext.authorizer).toEqual({
      principalId: 'plant-7',
      age: 3,
      fresh: true,
    });
  });

  test.each([
    'not JSON',
    '[]',
    '"keep-alive"',
    '{}',
    '{"action":"unknown"}',
    '{"action":7}',
    '{"action":"$connect"}',
    '{"action":"__proto__"}',
  ])('%s goes to $default, and nothing comes back', async (text) => {
    const { gateway, got } = await startSample({
      message: async () => ({ ...ok, body: 'unheard' }),
    });
    const client = await StrictClient.dial(gateway.linkUrl);
    client.send(text);
    client.send({ action: 'keep-alive' });
    expect(await client.next()).toContain('kept-alive');
    await gateway.settled();
    expect(got.message.map((event) => event.body)).toEqual([text]);
    expect(client.untaken).toEqual([]);
  });

  test('a keep-alive is answered from its template, without a function', async () => {
    const { gateway } = await startSample();
    const client = await StrictClient.dial(gateway.linkUrl);
    client.send({ action: 'keep-alive' });
    const [connection] = gateway.connections;
    expect(JSON.parse(await client.next())).toEqual({
      action: 'kept-alive',
      connectionId: connection?.id,
    });
    expect(gateway.counts).toMatchObject({ keepAlives: 1, messages: 1, billedUnits: 2 });
    expect(gateway.counts.invocations).toEqual({ authorizer: 1, connect: 1 });
  });

  test.each([
    ['throws', () => Promise.reject(new Error('secret'))],
    ['answers no status', async () => undefined],
  ])('a handler that %s makes the gateway say "Internal server error"', async (_name, message) => {
    const { gateway } = await startSample({ message });
    const client = await StrictClient.dial(gateway.linkUrl);
    client.send('x');
    const said = JSON.parse(await client.next()) as Record<string, unknown>;
    expect(said).toEqual({
      message: 'Internal server error',
      connectionId: gateway.connections[0]?.id,
      requestId: expect.any(String),
    });
    expect(gateway.counts.internalErrors).toBe(1);
  });

  test('a handler over its time in the manifest is ended, on the moved clock', async () => {
    const clock = new ManualClock();
    const { gateway } = await startSample({ message: () => new Promise(() => {}) }, { clock });
    const client = await StrictClient.dial(gateway.linkUrl);
    client.send('x');
    await clock.timerOf(29_000);
    clock.advance(29_000);
    expect(await client.next()).toContain('Internal server error');
    expect(gateway.lambda('message').errors[0]?.message).toContain(
      'Task timed out after 29.00 seconds',
    );
  });

  test('handlers of one connection overlap, each in an environment of its own', async () => {
    const { gateway, got } = await startSample();
    const client = await StrictClient.dial(gateway.linkUrl);
    const message = gateway.lambda('message');
    const first = message.holdNext();
    const second = message.holdNext();
    client.send('1');
    client.send('2');
    await Promise.all([first.arrived, second.arrived]);
    expect(message.environments).toHaveLength(2);
    second.release();
    first.release();
    await gateway.settled();
    expect(got.message).toHaveLength(2);
  });
});
