import type { Clock } from '@pullwire/shared';
import { LookupCache } from '../auth/lookup-cache.ts';
import { PostError, type Poster } from '../connection/poster.ts';
import type { DeviceStore } from '../presence/device-service.ts';
import { flapsOfLinks } from '../presence/device-span.ts';
import { orUnavailable } from '../presence/or-unavailable.ts';
import type { LiveProof } from '../presence/presence.ts';
import type { PullableDevice, PullableDevices } from '../pull/pull-target.ts';
import type { Device, LinkRecord, Page, PageRequest, Registry } from '../registry/registry.ts';
import type { PendingWork } from './pending-work.ts';
import { RemotePullables } from './remote-pullables.ts';
import { replyLost } from './reply-lost.ts';

/** The part of `ReplyChannel` that a look-up and a pull need. */
export interface ReplyWay {
  ready(): Promise<string>;
  prove(): Promise<void>;
}

export interface RemoteDevicesOptions {
  readonly registry: Pick<Registry, 'device' | 'devices' | 'removeDevice' | 'closeLink'>;
  readonly poster: Poster;
  readonly channel: ReplyWay;
  readonly work: PendingWork;
  readonly clock: Clock;
  /** A post said that this connection of the link is gone; for the log. */
  gone?(link: LinkRecord, connectionId: string): void;
}

/** DESIGN.md, "Decisions" 4: any revocation holds within 10 s everywhere. */
const cached = { maxAgeMs: 10_000, missAgeMs: 1_000, capacity: 10_000, firstReads: 64 };

/** Devices whose links a gateway holds: from the registry, believed for 10 s. */
export class RemoteDevices implements PullableDevices, DeviceStore {
  readonly #options: RemoteDevicesOptions;
  readonly #cache: LookupCache<Device>;
  readonly #pullables: RemotePullables;
  /** When a device was last read and found offline. */
  readonly #offlineAt = new Map<string, number>();
  /** Nothing is lost with this process: links are at the gateway. */
  readonly startedAt = 0;

  constructor(options: RemoteDevicesOptions) {
    this.#options = options;
    this.#cache = new LookupCache({ load: (id) => options.registry.device(id), ...cached });
    const { registry, poster, work, clock, channel, gone } = options;
    this.#pullables = new RemotePullables({
      ...{ registry, poster, work, clock },
      sending: (pull) =>
        work.add(channel.prove().catch((error) => pull.sendFailed(replyLost(error)))),
      unsaid: (device) => this.#cache.forget(device),
      gone: (link, connectionId) => gone?.(link, connectionId),
      closed: () => this.#cache.clear(),
    });
  }

  readonly proofOf = (link: LinkRecord): LiveProof | undefined =>
    this.#pullables.isOpen(link)
      ? { lastProofAt: link.connectedAt, proofDueAt: (link.expiresAt ?? 0) * 1_000 }
      : undefined;

  flapsOf(device: Device): number {
    return flapsOfLinks(device, this.#options.clock.wall());
  }

  /** The device, and the way back open: both are looked for at once. */
  async find(id: string): Promise<PullableDevice | undefined> {
    const ready = this.#options.channel.ready();
    ready.catch(() => undefined);
    const device = await this.#readOnline(id);
    if (device === undefined) return undefined;
    const pullable = this.#pullables.pullable(device);
    if (pullable.targets.length > 0) await ready;
    return pullable;
  }

  async findAnew(id: string): Promise<PullableDevice | undefined> {
    this.#cache.forget(id);
    return this.find(id);
  }

  /** Whether pulls from it may go on, as the registry said in the last 10 s: it is known, and not revoked. */
  async stands(id: string): Promise<boolean> {
    const device = await this.#read(id);
    return device !== undefined && device.record.revokedAt === undefined;
  }

  async device(id: string): Promise<Device | undefined> {
    return orUnavailable(this.#options.registry.device(id));
  }

  async devices(page: PageRequest): Promise<Page<Device>> {
    return orUnavailable(this.#options.registry.devices(page));
  }

  async remove(id: string): Promise<boolean> {
    const device = await this.device(id);
    const removed = await orUnavailable(this.#options.registry.removeDevice(id));
    this.#cache.clear();
    for (const link of device?.links ?? [])
      if (this.#pullables.isOpen(link)) await this.#revoke(link);
    return removed;
  }

  /** A device that was offline a moment ago may be back: its absence is believed for a second only. */
  async #readOnline(id: string): Promise<Device | undefined> {
    const device = await this.#read(id);
    if (device === undefined || device.links.some((link) => this.#pullables.isOpen(link)))
      return device;
    const now = this.#options.clock.wall();
    if (now - (this.#offlineAt.get(id) ?? Number.NEGATIVE_INFINITY) < cached.missAgeMs)
      return device;
    if (this.#offlineAt.size >= cached.capacity) this.#offlineAt.clear();
    this.#offlineAt.set(id, now);
    this.#cache.forget(id);
    return this.#read(id);
  }

  #read(id: string): Promise<Device | undefined> {
    // In a function of its own: the cache throws at once where too many unknown ids are looked up already.
    const ask = async () => this.#cache.get(id, this.#options.clock.wall());
    return orUnavailable(ask());
  }

  async #revoke({ connectionId, replaces }: LinkRecord): Promise<void> {
    for (const id of [connectionId, replaces]) if (id !== undefined) await this.#sayRevoked(id);
  }

  async #sayRevoked(connectionId: string): Promise<void> {
    const { poster } = this.#options;
    const bye = {
      action: 'bye',
      code: 'revoked',
      reason: 'this device was removed from the relay',
    };
    try {
      await poster.post(connectionId, JSON.stringify(bye));
      await poster.disconnect(connectionId);
    } catch (error) {
      if (!(error instanceof PostError)) throw error; // gone already, or it ends with its token
    }
  }
}
