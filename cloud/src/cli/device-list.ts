import type { Device, DeviceRecord } from '../registry/registry.ts';
import { eachItem } from '../registry/registry-pages.ts';
import type { CliContext, CommandOptions } from './cli-context.ts';
import { withRegistry } from './open-registry.ts';
import { type Column, printJson, printTable, timeText } from './output-list.ts';
import { labelText } from './parse-label.ts';

/** `device list`. */
export async function listDevices(options: CommandOptions, context: CliContext): Promise<void> {
  await withRegistry(options, context, async (registry) => {
    const devices = eachItem((after) =>
      registry.devices({ limit: 100, ...(after ? { after } : {}) }),
    );
    if (options['json'] === true) await printJson(devices, context.out);
    else await printTable(devices, deviceColumns, context.out);
  });
}

const deviceColumns: readonly Column<Device>[] = [
  { title: 'DEVICE', text: ({ record }) => record.device },
  { title: 'ADDED', text: ({ record }) => timeText(record.createdAt) },
  { title: 'LAST LINK', text: lastLink },
  { title: 'KEY', text: ({ record }) => keyText(record) },
  { title: 'LABELS', text: ({ record }) => labelText(record.labels) },
];

/** What the registry heard last of any instance; only a running relay knows what is connected. */
function lastLink({ links }: Device): string {
  const lastHeard = (link: Device['links'][number]) => link.closedAt ?? link.connectedAt;
  const last = links.toSorted((a, b) => lastHeard(b) - lastHeard(a))[0];
  if (last === undefined) return 'never';
  if (last.closedAt === undefined) return `opened ${timeText(last.connectedAt)}`;
  return `closed ${timeText(last.closedAt)} (${last.closedWhy ?? 'unknown'})`;
}

/** How things stand with what speaks for the device. */
function keyText(record: DeviceRecord): string {
  const { publicKey, nextKey, rotationAskedAt, revokedAt, revokedWhy } = record;
  if (revokedAt !== undefined) {
    return `revoked ${timeText(revokedAt)}${revokedWhy === undefined ? '' : ` (${revokedWhy})`}`;
  }
  if (nextKey !== undefined) return 'rotating: the next key was not used yet';
  if (rotationAskedAt !== undefined) return `rotation asked ${timeText(rotationAskedAt)}`;
  return publicKey.startsWith('issuer:') ? publicKey.slice('issuer:'.length) : 'its own';
}
