import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, test } from 'vitest';
import { FlapDamper } from './flap-damper.ts';
import type { PresenceEvent } from './presence-event.ts';

function world() {
  const clock = new ManualClock();
  const said: PresenceEvent[] = [];
  const damper = new FlapDamper({ clock, said: (event) => said.push(event) });
  const changed = (presence: 'connected' | 'offline', device = 'plant-7') =>
    damper.changed({ device, labels: {}, presence, instance: 'main', since: clock.wall() });
  /** Comes and goes, a change a second. */
  const flap = (changes: number, device?: string) => {
    for (let n = 0; n < changes; n += 1) {
      changed(n % 2 === 0 ? 'connected' : 'offline', device);
      clock.advance(1_000);
    }
  };
  const brief = () => said.map(({ type, changes }) => (changes ? `${type} ${changes}` : type));
  return { clock, said, damper, changed, flap, brief };
}

test('a device that comes and goes now and then is told each time', () => {
  const { flap, clock, brief } = world();
  flap(5);
  clock.advance(60_000);
  flap(5);
  expect(brief()).toEqual([
    ...['connected', 'offline', 'connected', 'offline', 'connected'],
    ...['connected', 'offline', 'connected', 'offline', 'connected'],
  ]);
});

test('one that does so more often is flapping, once, and then what it has settled to', () => {
  const { flap, clock, brief, said } = world();
  flap(26);
  expect(brief().slice(5)).toEqual(['flapping 6']);
  clock.advance(58_999);
  expect(said).toHaveLength(6);
  clock.advance(1);
  expect(brief().slice(5)).toEqual(['flapping 6', 'offline 20']);
  expect(said.at(-1)).toMatchObject({ presence: 'offline', since: 25_000, at: 85_000 });
});

test('once it has settled it is told each time again', () => {
  const { flap, clock, brief } = world();
  flap(6);
  clock.advance(60_000);
  flap(2);
  expect(brief().slice(5)).toEqual(['flapping 6', 'offline', 'connected', 'offline']);
});

test('another device that flaps meanwhile is none of its business', () => {
  const { flap, changed, brief, said } = world();
  flap(8, 'restless');
  changed('connected', 'quiet');
  expect([brief().at(-1), said.at(-1)?.device]).toEqual(['connected', 'quiet']);
});

test('how often it went is known for an hour', () => {
  const { flap, clock, damper } = world();
  flap(10);
  clock.advance(1_800_000);
  flap(4);
  expect([damper.flapsOf('plant-7'), damper.flapsOf('nobody')]).toEqual([7, 0]);
  clock.advance(1_800_000);
  expect(damper.flapsOf('plant-7')).toBe(2);
  clock.advance(3_600_000);
  expect(damper.flapsOf('plant-7')).toBe(0);
});

test('of more devices than it remembers the one that has been quiet longest is settled and forgotten', () => {
  const { flap, changed, brief, clock, damper } = world();
  flap(8, 'first');
  const before = brief().length;
  for (let n = 0; n < 10_000; n += 1) changed('offline', `d${n}`);
  expect(damper.flapsOf('first')).toBe(0);
  expect(
    brief()
      .slice(before)
      .filter((text) => text !== 'offline'),
  ).toEqual(['offline 2']);
  damper.stop();
  expect(clock.pending).toBe(0);
});
