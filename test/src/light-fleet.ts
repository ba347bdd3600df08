import { generateKeyPairSync } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { publicKeyText } from '../../agent/src/identity/device-key.ts';
import { embeddedTable } from '../../cloud/src/cli/open-registry.ts';
import { DynamoRegistry } from '../../cloud/src/registry/dynamo-registry.ts';
import { startEngine } from '../../cloud/src/server/engine.ts';
import type { LightDevice } from './light-agent.ts';
import type { FleetOrders, FleetReport } from './light-fleet-thread.ts';

/** Writes under way at a time while the devices are made known. */
const writers = 16;

/** Thousands of devices that speak the real protocol from a thread of their own, so that they take no time from the test. */
export class LightFleet {
  readonly #devices: readonly LightDevice[];
  readonly #open = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #worker: Worker | undefined;
  refused: FleetReport['refused'] = {};
  /** When the last link opened (`performance.now`). */
  lastOpenedAt = 0;

  private constructor(devices: readonly LightDevice[]) {
    this.#devices = devices;
  }

  /** Makes devices and writes them into the registry of a relay that is not running. */
  static async enrol(size: number, dataFolder: string): Promise<LightFleet> {
    const signal = new AbortController().signal;
    const engine = await startEngine({ dataFolder, owner: 'command', signal, onTrouble: fail });
    const client = engine.createClient();
    const registry = new DynamoRegistry({ client, name: embeddedTable, mayCreateTable: true });
    const devices: LightDevice[] = [];
    const add = async () => {
      while (devices.length < size) {
        const { privateKey } = generateKeyPairSync('ed25519');
        const device = `light-${devices.length}`;
        const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
        devices.push({ device, privateKey: pem });
        const publicKey = publicKeyText(privateKey);
        await registry.addDevice({ device, publicKey, labels: {}, createdAt: Date.now() });
      }
    };
    await Promise.all(Array.from({ length: writers }, add));
    client.destroy();
    await engine.stop();
    return new LightFleet(devices);
  }

  /** Dials from all devices, each at a moment of its own within `withinMs`. */
  start(url: string, withinMs: number): void {
    const orders: FleetOrders = { url, devices: this.#devices, withinMs };
    const worker = new Worker(new URL('./light-fleet-thread.ts', import.meta.url), {
      workerData: orders,
    });
    worker.on('message', (report: FleetReport) => this.#take(report));
    worker.on('error', fail);
    this.#worker = worker;
  }

  /** Resolves when it holds for the number of devices whose links are open. */
  async until(holds: (open: number) => boolean): Promise<void> {
    while (!holds(this.#open.size)) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** One of those whose links are open. */
  anyOpen(): string | undefined {
    let at = Math.floor(Math.random() * this.#open.size);
    for (const device of this.#open) if (at-- === 0) return device;
    return undefined;
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }

  #take({ opened, lost, refused }: FleetReport): void {
    for (const device of lost) this.#open.delete(device);
    for (const device of opened) this.#open.add(device);
    this.refused = refused;
    if (opened.length > 0) this.lastOpenedAt = performance.now();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const look of waiting) look();
  }
}

function fail(error: Error): void {
  throw error;
}
