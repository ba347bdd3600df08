import { setTimeout as delay } from 'node:timers/promises';
import type { Daemon } from '../process/daemon.ts';
import { cpuSecondsOf, residentBytesOf, treeOf } from '../process/process-tree.ts';
import type { Certificate } from '../system/certificate.ts';
import { Relay } from '../system/relay.ts';
import type { SystemName } from '../system/system.ts';
import type { Workbench } from '../workbench.ts';
import { LinkFleet } from './link-fleet.ts';

const device = 'fleet-1';
/** A relay that uses less than this of a core has nothing left to do. */
const quietCpu = 0.05;
const quietSeconds = 3;
const settleAtMostSeconds = 60;

/** What idle links cost the relay, in bytes of resident memory. */
export interface IdleLinkCost {
  readonly system: SystemName;
  readonly links: number;
  readonly beforeBytes: number;
  readonly afterBytes: number;
  readonly perLinkBytes: number;
}

/**
 * A fresh relay before and after so many links were opened to it, each time when it has settled. Fresh, for a relay
 * that was under load has room in its heap that new links would not show.
 */
export async function idleLinkCost(
  workbench: Workbench,
  links: number,
  certificate: Certificate | undefined,
): Promise<IdleLinkCost> {
  const name = certificate === undefined ? 'idle' : 'idle-tls';
  const relay = await Relay.start(workbench, { name, certificate });
  const keyFile = await relay.addDevice(device);
  const url = relay.linkUrl;
  const fleet = new LinkFleet({ url, device, keyFile, caFile: certificate?.cert });
  try {
    await fleet.open(1, workbench.signal); // what is loaded with the first link belongs to no link
    const beforeBytes = await settledBytes(relay.daemon, workbench.signal);
    await fleet.open(links, workbench.signal);
    const afterBytes = await settledBytes(relay.daemon, workbench.signal);
    if (fleet.size !== links + 1)
      throw new Error(`${links + 1 - fleet.size} links did not stay open`);
    return {
      system: certificate === undefined ? 'pullwire' : 'pullwire-tls',
      links,
      beforeBytes,
      afterBytes,
      perLinkBytes: (afterBytes - beforeBytes) / links,
    };
  } finally {
    await fleet.close();
    await relay.daemon.stop();
  }
}

/** Resident memory once the process has been quiet for a while. */
async function settledBytes(daemon: Daemon, signal: AbortSignal): Promise<number> {
  const pids = treeOf([daemon.pid]);
  let quiet = 0;
  for (let second = 0; second < settleAtMostSeconds && quiet < quietSeconds; second += 1) {
    const before = cpuSecondsOf(pids);
    await delay(1_000, undefined, { signal });
    daemon.assertRunning();
    quiet = cpuSecondsOf(pids) - before < quietCpu ? quiet + 1 : 0;
  }
  return residentBytesOf(pids);
}
