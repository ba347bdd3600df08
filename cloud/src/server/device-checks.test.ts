import { ManualClock } from '@pullwire/shared/manual-clock';
import pino from 'pino';
import { expect, it } from 'vitest';
import type { DeviceRecord } from '../registry/registry.ts';
import { DeviceChecks } from './device-checks.ts';
import type { LiveLink } from './live-link.ts';

const link = { device: 'plant-7' } as LiveLink;
const live = { of: () => [link], update: () => [], deviceIds: ['plant-7'] };

function fixture() {
  const clock = new ManualClock();
  const state = { down: true, revoked: [] as string[], warnings: [] as string[] };
  const checks = new DeviceChecks({
    clock,
    live,
    registry: {
      deviceRecord: async (): Promise<DeviceRecord | undefined> => {
        if (state.down) throw new Error('down');
        return undefined;
      },
    },
    log: pino({}, { write: (line) => void state.warnings.push(line) }),
    revoke: (_links, why) => void state.revoked.push(why),
    askRotation: () => undefined,
  });
  return { clock, checks, state };
}

it('checks again what could not be checked, once a second and said once, however often it is asked', async () => {
  const { clock, checks, state } = fixture();
  for (let asked = 0; asked < 5; asked += 1) await checks.check('plant-7');
  expect([state.warnings.length, clock.pending]).toEqual([1, 1]);
  state.down = false;
  clock.advance(1_000);
  await expect.poll(() => state.revoked).toEqual(['this device was removed from the relay']);
  expect(clock.pending).toBe(0);
});

it('says that it could not look, where it is asked to look once', async () => {
  const { clock, checks } = fixture();
  await expect(checks.look('plant-7')).rejects.toThrow('down');
  expect(clock.pending).toBe(0);
});
