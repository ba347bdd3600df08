import type { Clock } from '@pullwire/shared';
import { LookupCache } from '../auth/lookup-cache.ts';
import type { DeviceStore } from '../presence/device-service.ts';
import { offlineDevice } from '../presence/offline-device.ts';
import { orUnavailable } from '../presence/or-unavailable.ts';
import type { LiveProof } from '../presence/presence.ts';
import type {
  Patience,
  PullableDevice,
  PullableDevices,
  ReturningPullables,
} from '../pull/pull-target.ts';
import type { Device, LinkRecord, Page, PageRequest, Registry } from '../registry/registry.ts';
import type { LiveLinks } from './live-links.ts';
import { ReturningDevices } from './returning-devices.ts';

export interface OneBoxDevicesOptions {
  readonly registry: Pick<Registry, 'device' | 'devices' | 'removeDevice'>;
  readonly live: LiveLinks;
  /** As `LinkJournal.unwrittenEnds`. */
  unwrittenEnds(device: string): LinkRecord[];
  readonly clock: Clock;
  /** Ends the live links of a device that is no more; its agents are told why. */
  revoke(device: string, why: string): void;
  /**
   * Looks whether a device's links are still its own, and ends them if not; rejects where the registry cannot be read.
   * Undefined where every change is told.
   */
  readonly check: ((device: string) => Promise<void>) | undefined;
  /** How often the device went offline in the last hour. */
  flapsOf(device: string): number;
}

interface Cached {
  readonly device: PullableDevice | undefined;
  readonly until: number;
}

/** A caller that asks for an offline device over and over costs one read a second. */
const offlineCacheMs = 1_000;
const offlineCacheSize = 10_000;

/** DESIGN.md, "Decisions" 4: any revocation holds within 10 s everywhere. */
const checked = { maxAgeMs: 10_000, missAgeMs: 0, capacity: 10_000, firstReads: 256 };

/**
 * A fleet is back 15 s after a start, and an agent whose path was cut within seconds; a caller who gives more time gets it,
 * for a slow path. A pull that waits is a request that stays open, of a caller who may make it.
 */
const waited = { times: { startMs: 15_000, lostMs: 5_000, askedMs: 60_000 }, most: 1_000 };

/** Devices on one box: those with a live link from memory, the others from the registry. */
export class OneBoxDevices implements PullableDevices, ReturningPullables, DeviceStore {
  readonly #options: OneBoxDevicesOptions;
  readonly #offline = new Map<string, Cached>();
  /** Devices with live links that were looked at lately, where nobody tells of changes. */
  readonly #checks: LookupCache<true> | undefined;
  readonly #returning: ReturningDevices;
  readonly startedAt: number;

  constructor(options: OneBoxDevicesOptions) {
    this.#options = options;
    this.startedAt = options.clock.wall();
    this.#returning = new ReturningDevices({ clock: options.clock, ...waited });
    const { check } = options;
    this.#checks =
      check &&
      new LookupCache({
        load: async (device) => {
          await check(device);
          return true as const;
        },
        ...checked,
      });
  }

  readonly proofOf = (link: LinkRecord): LiveProof | undefined => this.#options.live.proofOf(link);

  flapsOf({ record }: Device): number {
    return this.#options.flapsOf(record.device);
  }

  find(device: string): PullableDevice | undefined | Promise<PullableDevice | undefined> {
    const live = this.#options.live.find(device);
    if (live !== undefined) return this.#checks === undefined ? live : this.#checked(live);
    const cached = this.#offline.get(device);
    if (cached !== undefined && cached.until > this.#options.clock.monotonic()) {
      return cached.device;
    }
    return this.#findOffline(device);
  }

  /** What is live here is never old. */
  findAnew(device: string): PullableDevice | undefined | Promise<PullableDevice | undefined> {
    return this.find(device);
  }

  /** Where changes are not told, a device may have been revoked while nobody could look: then its links wait, too. */
  #checked(live: PullableDevice): PullableDevice | Promise<PullableDevice | undefined> {
    const { device } = live;
    try {
      const look = this.#checks?.get(device, this.#options.clock.monotonic());
      if (!(look instanceof Promise)) return live;
      return orUnavailable(look).then(
        () => this.#options.live.find(device) ?? this.#findOffline(device),
      );
    } catch (error) {
      return orUnavailable(Promise.reject(error));
    }
  }

  async device(id: string): Promise<Device | undefined> {
    // Asked before the read: an end that is written while it goes on may not be in what it brings.
    const ended = this.#options.unwrittenEnds(id);
    const device = await orUnavailable(this.#options.registry.device(id));
    return device === undefined ? undefined : this.#withLive(withEnds(device, ended));
  }

  async devices(page: PageRequest): Promise<Page<Device>> {
    const read = await orUnavailable(this.#options.registry.devices(page));
    return { ...read, items: read.items.map((device) => this.#withLive(device)) };
  }

  async remove(id: string): Promise<boolean> {
    const removed = await orUnavailable(this.#options.registry.removeDevice(id));
    this.forget();
    this.#options.revoke(id, 'this device was removed from the relay');
    return removed;
  }

  /** Something changed in the registry: what was read before no longer counts. */
  forget(): void {
    this.#offline.clear();
  }

  /** The device has a link: it is not offline any more. */
  linked(device: string): void {
    this.#offline.delete(device);
    this.#returning.linked(device);
  }

  /** Pulls that wait for their devices to come back. */
  get waiting(): number {
    return this.#returning.size;
  }

  /** No agent dials here any more. */
  stopWaiting(): void {
    this.#returning.stop();
  }

  returning(
    { device, offline }: PullableDevice,
    patience: Patience,
  ): Promise<PullableDevice | undefined> | undefined {
    return this.#returning.wait(device, offline, patience)?.then(() => this.find(device));
  }

  async #findOffline(id: string): Promise<PullableDevice | undefined> {
    const found = await this.device(id);
    const { clock } = this.#options;
    const times = { now: clock.wall(), lostSince: this.startedAt };
    const device = found === undefined ? undefined : offlineDevice(found, times);
    if (this.#offline.size >= offlineCacheSize) this.#offline.clear();
    const until = this.#options.clock.monotonic() + offlineCacheMs;
    this.#offline.set(id, { device, until });
    // A link may have opened while the registry was read.
    return this.#options.live.find(id) ?? device;
  }

  /** The registry is written behind the links' backs: what is live here is newer than what stands there. */
  #withLive(device: Device): Device {
    const live = this.#options.live.of(device.record.device);
    if (live.length === 0) return device;
    const records = new Map(device.links.map((link) => [link.instance, link]));
    for (const link of live) records.set(link.instance, link.record());
    return { ...device, links: [...records.values()] };
  }
}

/** What the registry will say when it is written: an end counts unless a newer link of the instance stands there. */
function withEnds(device: Device, ended: readonly LinkRecord[]): Device {
  if (ended.length === 0) return device;
  const records = new Map(device.links.map((link) => [link.instance, link]));
  for (const link of ended) {
    const stored = records.get(link.instance);
    if (stored === undefined || stored.connectedAt <= link.connectedAt) {
      records.set(link.instance, link);
    }
  }
  return { ...device, links: [...records.values()] };
}
