import { Worker } from 'node:worker_threads';
import { enrolFleet, type FleetDevice } from './enrol-fleet.ts';
import type { FleetOrders, FleetReport } from './light-fleet-thread.ts';

/** Thousands of devices that speak the real protocol from a thread of their own, so that they take no time from the test. */
export class LightFleet {
  readonly #devices: readonly FleetDevice[];
  readonly #open = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #worker: Worker | undefined;
  refused: FleetReport['refused'] = {};
  /** When the last link opened (`performance.now`). */
  lastOpenedAt = 0;

  private constructor(devices: readonly FleetDevice[]) {
    this.#devices = devices;
  }

  /** Makes devices and writes them into the registry of a relay that is not running. */
  static async enrol(size: number, dataFolder: string): Promise<LightFleet> {
    return new LightFleet(await enrolFleet('light', size, dataFolder));
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
