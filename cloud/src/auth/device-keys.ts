import type { Registry } from '../registry/registry.ts';
import { type DeviceKey, parseDeviceKey } from './device-key.ts';
import { LookupCache } from './lookup-cache.ts';

/** DESIGN.md, "Decisions" 4: any revocation holds within 10 s everywhere. */
const maxAgeMs = 10_000;
const missAgeMs = 1_000;
const capacity = 10_000;

/** The public keys of devices, for handshakes. */
export class DeviceKeys {
  readonly #cache: LookupCache<DeviceKey>;

  constructor(registry: Pick<Registry, 'device'>) {
    this.#cache = new LookupCache({
      load: async (device) => {
        const found = await registry.device(device);
        return found === undefined ? undefined : parseDeviceKey(found.record.publicKey);
      },
      maxAgeMs,
      missAgeMs,
      capacity,
    });
  }

  /** Undefined where the device is not known. `now` in milliseconds. Throws a `RegistryError`. */
  async keyOf(device: string, now: number): Promise<DeviceKey | undefined> {
    return this.#cache.get(device, now);
  }

  clear(): void {
    this.#cache.clear();
  }
}
