import { EventEmitter } from 'node:events';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, test } from 'vitest';
import type { DisconnectEvent } from '../../src/lambda/event.ts';
import { ClientTraffic } from './client-traffic.ts';
import { GatewayConnection } from './gateway-connection.ts';
import { GatewayCounts } from './gateway-counts.ts';
import { GatewayEvents } from './gateway-event.ts';
import { gatewayDefaults } from './gateway-switches.ts';
import { Hop } from './hop.ts';
import { InFlight } from './in-flight.ts';
import { relayManifest } from './manifest.ts';

/** How often `$disconnect` was called for each of 200 connections that went. */
async function disconnects(seed: number | undefined): Promise<readonly number[]> {
  const clock = new ManualClock();
  const inFlight = new InFlight();
  const calls = new Map<string, number>();
  const traffic = new ClientTraffic({
    routes: relayManifest().webSocket.routes,
    shapes: new GatewayEvents('live', clock),
    counts: new GatewayCounts(),
    hop: new Hop({ clock, delayMs: 0, seed }),
    inFlight,
    events: new EventEmitter(),
    invoke: async (_name, event) => {
      const { connectionId } = (event as DisconnectEvent).requestContext;
      calls.set(connectionId, (calls.get(connectionId) ?? 0) + 1);
    },
  });
  const identity = { sourceIp: '127.0.0.1' };
  const connections = Array.from(
    { length: 200 },
    () => new GatewayConnection(identity, clock, gatewayDefaults, traffic),
  );
  for (const connection of connections) connection.abandon();
  await inFlight.settled();
  return connections.map(({ id }) => calls.get(id) ?? 0);
}

test('without a seed each connection that goes has one $disconnect', async () => {
  expect(new Set(await disconnects(undefined))).toEqual(new Set([1]));
});

test.each([1, 2, 3])('with seed %i some have none, some have two', async (seed) => {
  expect(new Set(await disconnects(seed))).toEqual(new Set([0, 1, 2]));
});
