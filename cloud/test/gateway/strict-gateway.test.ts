import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { systemClock } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterEach, describe, expect, test } from 'vitest';
import type { AuthorizerEvent, MessageEvent } from '../../src/lambda/event.ts';
import type { StrictGatewayOptions } from './gateway-options.ts';
import { ok, startSample, stopSamples, verdict } from './gateway-sample.ts';
import { LambdaEmulator } from './lambda-emulator.ts';
import type { Compose } from './lambda-environment.ts';
import { StrictClient } from './strict-client.ts';
import { StrictGateway } from './strict-gateway.ts';

const running: StrictGateway[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()));
  await stopSamples();
});

/** A gateway whose message function posts each message back to who sent it. */
async function startEcho(options: Partial<StrictGatewayOptions> = {}): Promise<StrictGateway> {
  const gateway = await StrictGateway.start({
    functions: ({ connectionsUrl }) => ({
      authorizer: () => async (event: AuthorizerEvent) => verdict(event),
      connect: () => async () => ok,
      disconnect: () => async () => ok,
      message: () => {
        const client = new ApiGatewayManagementApiClient({
          endpoint: connectionsUrl,
          region: 'us-east-1',
          credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x' },
          maxAttempts: 1,
        });
        return async ({ body, requestContext }: MessageEvent) => {
          const { connectionId } = requestContext;
          await client.send(
            new PostToConnectionCommand({ ConnectionId: connectionId, Data: body ?? '' }),
          );
          return ok;
        };
      },
    }),
    ...options,
  });
  running.push(gateway);
  return gateway;
}

describe('the strict gateway', () => {
  test('straight, a message up and a post down come once, and what they cost is counted', async () => {
    const gateway = await startEcho();
    const client = await StrictClient.dial(gateway.linkUrl);
    const before = gateway.counts.snapshot();
    for (const text of ['1', '2']) {
      client.send(text);
      expect(await client.next()).toBe(text);
    }
    await gateway.settled();
    const cost = gateway.counts.since(before);
    expect(cost).toMatchObject({ messages: 2, posts: 2, billedUnits: 4, opened: 0 });
    expect(cost.invocations).toEqual({ message: 2 });
    expect(gateway.lambda('message').counts.coldStarts).toBe(1);
  });

  test.each([1, 2, 3])(
    'with seed %i messages are shuffled and doubled both ways, and none is lost',
    async (seed) => {
      const gateway = await startEcho({ seed });
      const client = await StrictClient.dial(gateway.linkUrl);
      const sent = Array.from({ length: 60 }, (_, number) => `m${number}`);
      for (const text of sent) client.send(text);
      const got: string[] = [];
      while (new Set(got).size < sent.length) got.push(await client.next());
      await gateway.settled();
      expect(got).not.toEqual(sent);
      expect(gateway.counts.messages).toBe(60);
      expect(gateway.counts.posts).toBeGreaterThan(60);
    },
  );

  test('a delay is injected on every way over the network', async () => {
    const gateway = await startEcho({ delayMs: 5 });
    const client = await StrictClient.dial(gateway.linkUrl);
    const began = systemClock.monotonic();
    client.send('x');
    await client.next();
    // Up to the function, its call of @connections, and down to the client: timers may be a millisecond early.
    expect(systemClock.monotonic() - began).toBeGreaterThan(3 * 5 - 3);
  });

  test('the socket of a frozen environment reads nothing until the next request, after 15 minutes its end', async () => {
    const clock = new ManualClock();
    const read: string[] = [];
    const { gateway } = await startSample({}, { clock });
    const closed = Promise.withResolvers<number>();
    const compose: Compose = async (environment) => {
      const channel = await StrictClient.dial(gateway.linkUrl);
      environment.own(channel.socket);
      channel.socket.on('message', (data) => read.push(String(data)));
      channel.socket.once('close', (code) => closed.resolve(code));
      return async (event: { wait: boolean }) => (event.wait ? closed.promise : read.length);
    };
    const http = new LambdaEmulator({ name: 'http', compose, clock, timeoutMs: 1000 });
    expect(await http.invoke({ wait: false })).toBe(0);
    gateway.connections[0]?.send(Buffer.from('late'));
    clock.advance(15 * 60_000);
    expect([read, gateway.connections.length]).toEqual([[], 0]);
    expect(await http.invoke({ wait: true })).toBe(1001);
    expect(read).toEqual(['late']);
    http.retire();
  });

  test('to stop ends every socket and environment, and calls no $disconnect', async () => {
    const { gateway, got } = await startSample();
    const client = await StrictClient.dial(gateway.linkUrl);
    const hold = gateway.lambda('connect').holdNext();
    const held = StrictClient.dial(gateway.linkUrl).catch((error: unknown) => error);
    await hold.arrived;
    await stopSamples();
    hold.release();
    expect((await client.closed).code).toBe(1006);
    expect(await held).toBeInstanceOf(Error);
    await gateway.settled();
    expect([got.disconnect, gateway.connections, gateway.lambda('connect').environments]).toEqual([
      [],
      [],
      [],
    ]);
  });

  test('a function that the manifest does not name is refused', async () => {
    const functions = () => ({ other: () => async () => ok });
    await expect(StrictGateway.start({ functions })).rejects.toThrow(
      'relay.json has no function other',
    );
  });
});
