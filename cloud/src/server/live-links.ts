import type { LiveProof } from '../presence/presence.ts';
import type { PullableDevice } from '../pull/pull-target.ts';
import type { DeviceRecord, LinkRecord } from '../registry/registry.ts';
import type { LiveLink } from './live-link.ts';

/** A device with live links here: what a pull needs to know of it, without the registry. */
class LiveDevice implements PullableDevice {
  readonly device: string;
  labels: Readonly<Record<string, string>>;
  targets: LiveLink[] = [];
  readonly offline = { since: undefined, why: 'link-lost' };

  constructor(record: DeviceRecord) {
    this.device = record.device;
    this.labels = record.labels;
  }
}

/** The links that this process holds, by device. */
export class LiveLinks {
  readonly #devices = new Map<string, LiveDevice>();

  get size(): number {
    let links = 0;
    for (const device of this.#devices.values()) links += device.targets.length;
    return links;
  }

  /** Bytes that wait for agents to take them. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const device of this.#devices.values()) {
      for (const { connection } of device.targets) bytes += connection.queuedBytes;
    }
    return bytes;
  }

  get deviceIds(): string[] {
    return [...this.#devices.keys()];
  }

  find(device: string): PullableDevice | undefined {
    return this.#devices.get(device);
  }

  all(): LiveLink[] {
    return [...this.#devices.values()].flatMap((device) => device.targets);
  }

  of(device: string): readonly LiveLink[] {
    return this.#devices.get(device)?.targets ?? [];
  }

  /** Adds the link; returns the older ones of its instance, which it replaces for new pulls. */
  add(link: LiveLink, record: DeviceRecord): LiveLink[] {
    let device = this.#devices.get(link.device);
    if (device === undefined) {
      device = new LiveDevice(record);
      this.#devices.set(link.device, device);
    }
    device.labels = record.labels;
    const replaced = device.targets.filter((other) => other.instance === link.instance);
    link.upSince = device.targets[0]?.upSince;
    link.upSince ??= device.targets[0]?.connectedAt;
    device.targets.push(link);
    return replaced;
  }

  remove(link: LiveLink): void {
    const device = this.#devices.get(link.device);
    if (device === undefined) return;
    device.targets = device.targets.filter((other) => other !== link);
    if (device.targets.length === 0) this.#devices.delete(link.device);
  }

  /** The device's labels hold for the next pull. Returns the links that are not its own any more by this record. */
  update(record: DeviceRecord): LiveLink[] {
    const device = this.#devices.get(record.device);
    if (device === undefined) return [];
    device.labels = record.labels;
    return device.targets.filter(
      (link) => record.revokedAt !== undefined || !link.keys.hold(record),
    );
  }

  /** The device offered its next key, over one of its links: the others are its own with that one too. */
  offered(device: string, key: string): void {
    for (const link of this.of(device)) link.keys.add(key);
  }

  /** The live link that the record is about. */
  linkOf(record: LinkRecord): LiveLink | undefined {
    return this.of(record.device).find(
      (live) => live.connection.connectionId === record.connectionId,
    );
  }

  proofOf(record: LinkRecord): LiveProof | undefined {
    return this.linkOf(record)?.connection;
  }
}
