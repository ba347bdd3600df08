import { parentPort, workerData } from 'node:worker_threads';
import type { FleetDevice } from './enrol-fleet.ts';
import { LightAgent } from './light-agent.ts';

export interface FleetOrders {
  readonly url: string;
  readonly devices: readonly FleetDevice[];
  /** Milliseconds over which the first dials are spread. */
  readonly withinMs: number;
}

/** What became of the fleet since the last report. */
export interface FleetReport {
  readonly opened: readonly string[];
  readonly lost: readonly string[];
  /** Dials that were answered with a status in place of a link, since the start. */
  readonly refused: Readonly<Record<number, number>>;
}

const reportEveryMs = 20;

const { url, devices, withinMs } = workerData as FleetOrders;
let opened: string[] = [];
let lost: string[] = [];
const refused: Record<number, number> = {};

for (const device of devices) {
  new LightAgent(url, device, {
    opened: (id) => opened.push(id),
    lost: (id) => lost.push(id),
    refused: (status) => {
      refused[status] = (refused[status] ?? 0) + 1;
    },
  }).start(withinMs);
}

setInterval(() => {
  if (opened.length === 0 && lost.length === 0) return;
  const report: FleetReport = { opened, lost, refused };
  [opened, lost] = [[], []];
  parentPort?.postMessage(report);
}, reportEveryMs);
