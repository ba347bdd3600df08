import type { DeviceRecord } from '../registry/registry.ts';

/** More than one rotation under way and one behind it are never of interest. */
const most = 4;

/**
 * What has spoken for a link's device while the link was open: the key that opened it, and those that the device offered
 * since. A rotation changes the device's key under links that are open, and ends none of them; whoever gives the
 * device another key by other means ends them all.
 */
export class LinkKeys {
  #keys: string[] = [];

  /** `signer`: what opened the link; `record`: the device as it was then. */
  constructor(signer: string, record: DeviceRecord) {
    for (const key of [record.nextKey, record.publicKey, signer]) {
      if (key !== undefined) this.add(key);
    }
  }

  /** The device offered this one, and it was noted. */
  add(key: string): void {
    this.#keys = [key, ...this.#keys.filter((other) => other !== key)].slice(0, most);
  }

  /**
   * Whether the link is still its device's by this record. One that was read before a rotation ended has the link's key
   * as the next one.
   */
  hold({ publicKey, nextKey }: DeviceRecord): boolean {
    if (this.#keys.includes(publicKey)) {
      if (nextKey !== undefined) this.add(nextKey);
      return true;
    }
    return nextKey !== undefined && this.#keys.includes(nextKey);
  }
}
