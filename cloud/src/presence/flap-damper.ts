import type { Clock, Timer } from '@pullwire/shared';
import type { PresenceChange, PresenceEvent } from './presence-event.ts';

export interface FlapDamperOptions {
  readonly clock: Clock;
  said(event: PresenceEvent): void;
}

/** More changes than this within the window are flapping; it ends when nothing has changed for as long. */
const mostChanges = 5;
const windowMs = 60_000;

/** How often a device went is remembered for an hour, a sixth at a time. */
const slotMs = 600_000;
const slots = 6;
const mostDevices = 10_000;

interface Restless {
  /** Of the latest changes, oldest first; at most one more than are told. */
  times: number[];
  /** How often it went, by the number of the slot of time. */
  readonly gone: Map<number, number>;
  flapping: { changes: number; last: PresenceChange; timer: Timer } | undefined;
}

/** Makes events of changes: those of a device that comes and goes all the time become one, and another when it has settled. */
export class FlapDamper {
  readonly #options: FlapDamperOptions;
  /** The one that changed last is last. */
  readonly #devices = new Map<string, Restless>();

  constructor(options: FlapDamperOptions) {
    this.#options = options;
  }

  changed(change: PresenceChange): void {
    const now = this.#options.clock.monotonic();
    const device = this.#note(change, now);
    const { flapping } = device;
    if (flapping !== undefined) {
      flapping.timer.cancel();
      flapping.changes += 1;
      flapping.last = change;
      flapping.timer = this.#settleLater(device);
      return;
    }
    device.times = [...device.times.filter((time) => time > now - windowMs), now];
    if (device.times.length <= mostChanges) return this.#say(change.presence, change);
    this.#say('flapping', change, device.times.length);
    device.flapping = { changes: 0, last: change, timer: this.#settleLater(device) };
  }

  /** How often the device went offline in the last hour, as far as it is remembered. */
  flapsOf(id: string): number {
    const gone = this.#devices.get(id)?.gone;
    if (gone === undefined) return 0;
    const oldest = this.#slot(this.#options.clock.monotonic()) - slots;
    let flaps = 0;
    for (const [slot, count] of gone) if (slot > oldest) flaps += count;
    return flaps;
  }

  stop(): void {
    for (const { flapping } of this.#devices.values()) flapping?.timer.cancel();
    this.#devices.clear();
  }

  #note({ device: id, presence }: PresenceChange, now: number): Restless {
    const device = this.#devices.get(id) ?? { times: [], gone: new Map(), flapping: undefined };
    this.#devices.delete(id);
    this.#devices.set(id, device);
    if (presence === 'offline') {
      const slot = this.#slot(now);
      device.gone.set(slot, (device.gone.get(slot) ?? 0) + 1);
      for (const old of device.gone.keys()) if (old <= slot - slots) device.gone.delete(old);
    }
    if (this.#devices.size > mostDevices) this.#forgetOldest();
    return device;
  }

  #forgetOldest(): void {
    const [oldest] = this.#devices;
    if (oldest === undefined) return;
    this.#settle(oldest[1]);
    this.#devices.delete(oldest[0]);
  }

  #settleLater(device: Restless): Timer {
    return this.#options.clock.after(windowMs, () => this.#settle(device));
  }

  /** What it is now is said, whatever was said of it before. */
  #settle(device: Restless): void {
    const { flapping } = device;
    if (flapping === undefined) return;
    flapping.timer.cancel();
    device.flapping = undefined;
    device.times = [];
    const { last, changes } = flapping;
    this.#say(last.presence, last, changes);
  }

  #say(type: PresenceEvent['type'], change: PresenceChange, changes?: number): void {
    const { clock, said } = this.#options;
    const more = changes === undefined ? undefined : { changes };
    said({ type, ...change, ...more, at: clock.wall() });
  }

  #slot(now: number): number {
    return Math.floor(now / slotMs);
  }
}
