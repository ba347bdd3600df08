import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { DeviceRecord, Registry } from '../registry/registry.ts';
import type { LiveLink } from './live-link.ts';
import type { LiveLinks } from './live-links.ts';

export interface DeviceChecksOptions {
  readonly clock: Clock;
  readonly live: Pick<LiveLinks, 'of' | 'update' | 'deviceIds'>;
  readonly registry: Pick<Registry, 'deviceRecord'>;
  readonly log: Logger;
  /** Ends these links; `why` is what their agents are told. */
  revoke(links: readonly LiveLink[], why: string): void;
  /** The operator wants another key of the device, since `askedAt`. */
  askRotation(device: string, askedAt: number): void;
}

/** What could not be checked is checked again: a revocation must not be lost to a registry that fails for a moment. */
const recheckMs = 1_000;

/** Holds live links against the registry after an operator wrote to it: takes over labels, ends links that are no longer theirs. */
export class DeviceChecks {
  readonly #options: DeviceChecksOptions;
  /** Devices whose check failed, and is made again until it does not. */
  readonly #unchecked = new Set<string>();

  constructor(options: DeviceChecksOptions) {
    this.#options = options;
  }

  /** Any device may have changed. */
  async recheck(): Promise<void> {
    for (const id of this.#options.live.deviceIds) await this.check(id);
  }

  /** The device may be another than its links were opened for; what cannot be looked at now is looked at again. */
  async check(id: string): Promise<void> {
    try {
      await this.look(id);
    } catch (err) {
      if (this.#unchecked.has(id)) return;
      this.#unchecked.add(id);
      this.#options.log.warn({ err, device: id }, 'cannot check a device against the registry');
      this.#checkAgain(id);
    }
  }

  /** As `check`, once. Rejects where the registry cannot be read. */
  async look(id: string): Promise<void> {
    const { live, registry, revoke, askRotation } = this.#options;
    if (live.of(id).length === 0) return;
    const record = await registry.deviceRecord(id);
    if (record === undefined) return revoke(live.of(id), whyEnded(record));
    revoke(live.update(record), whyEnded(record));
    if (record.rotationAskedAt !== undefined) askRotation(id, record.rotationAskedAt);
  }

  #checkAgain(id: string): void {
    this.#options.clock.after(recheckMs, () => {
      this.look(id).then(
        () => this.#unchecked.delete(id),
        () => this.#checkAgain(id),
      );
    });
  }
}

/** For people: what the agent is told, and says to whoever finds it stopped. */
function whyEnded(record: DeviceRecord | undefined): string {
  if (record === undefined) return 'this device was removed from the relay';
  if (record.revokedAt === undefined) return 'this device has another key now';
  return record.revokedWhy ?? 'an operator revoked this device';
}
