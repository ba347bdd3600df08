import type { DeviceRecord, Registry } from '../registry/registry.ts';

/** Devices of one read at most, and reads under way at most: a caller's look-up never waits behind more. */
const batchLimit = 100;
const readsAtOnce = 2;

interface Waiting {
  readonly record: Promise<DeviceRecord | undefined>;
  resolve(record: DeviceRecord | undefined): void;
  reject(error: unknown): void;
}

/**
 * Reads devices for handshakes, many of them in one strong read: a fleet that comes back at once would else cost the
 * registry a read each. A read begins after it was asked for, so that what it brings is never older than the question.
 */
export class DeviceReads {
  readonly #registry: Pick<Registry, 'deviceRecords'>;
  #waiting = new Map<string, Waiting>();
  #reads = 0;

  constructor(registry: Pick<Registry, 'deviceRecords'>) {
    this.#registry = registry;
  }

  /** As `Registry.deviceRecord`. */
  deviceRecord(id: string): Promise<DeviceRecord | undefined> {
    const joined = this.#waiting.get(id);
    if (joined !== undefined) return joined.record;
    const { promise: record, resolve, reject } = Promise.withResolvers<DeviceRecord | undefined>();
    this.#waiting.set(id, { record, resolve, reject });
    // Whoever asks in the same turn is read in the same read.
    if (this.#waiting.size === 1) setImmediate(() => this.#next());
    return record;
  }

  #next(): void {
    if (this.#reads >= readsAtOnce || this.#waiting.size === 0) return;
    const batch = new Map([...this.#waiting].slice(0, batchLimit));
    for (const id of batch.keys()) this.#waiting.delete(id);
    this.#reads += 1;
    void this.#read(batch).finally(() => {
      this.#reads -= 1;
      this.#next();
    });
    this.#next();
  }

  async #read(batch: ReadonlyMap<string, Waiting>): Promise<void> {
    try {
      const records = await this.#registry.deviceRecords([...batch.keys()]);
      const found = new Map(records.map((record) => [record.device, record]));
      for (const [id, waiting] of batch) waiting.resolve(found.get(id));
    } catch (error) {
      for (const waiting of batch.values()) waiting.reject(error);
    }
  }
}
