import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { faultsAtDevice } from './src/fault-at-device.ts';
import { faultsAtFunction } from './src/fault-at-function.ts';
import { faultsAtGateway } from './src/fault-at-gateway.ts';
import { faultsInStorage } from './src/fault-in-storage.ts';
import { FaultWorld } from './src/fault-world.ts';
import { seen } from './src/planted-fault.ts';

const faults = [faultsAtGateway, faultsAtFunction, faultsInStorage, faultsAtDevice].flat();

describe('on AWS a pull whose', () => {
  let world: FaultWorld;

  beforeAll(async () => {
    world = await FaultWorld.start();
    await (await world.pull('/bytes/9')).text();
    await world.calm();
  });

  afterAll(() => world?.stop());
  afterEach(() => vi.restoreAllMocks());

  test.each(faults)('$name: the caller is told, and nothing is left behind', async (fault) => {
    const before = world.executed;
    expect(await seen(await fault.run(world))).toEqual(fault.sees);
    expect(world.executed - before).toBeLessThanOrEqual(1);
    await world.calm();
    const nothing = { pulls: 0, timers: 0, objects: [], faults: 0 };
    expect(await world.leftovers()).toEqual(nothing);
    await world.waited(fault.sees.retryAfter ?? 0);
    expect(await seen(await world.pull('/bytes/1000'))).toEqual({ status: 200, bytes: 1_000 });
    await world.calm();
    expect(await world.leftovers()).toEqual(nothing);
  });
});
