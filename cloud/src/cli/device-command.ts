import { devicePattern } from '@pullwire/shared';
import type { Command } from 'commander';
import { parseDeviceKey } from '../auth/device-key.ts';
import type { Device } from '../registry/registry.ts';
import { eachItem } from '../registry/registry-pages.ts';
import type { CliContext } from './cli-context.ts';
import { addPlaceOptions } from './config-option.ts';
import { withRegistry } from './open-registry.ts';
import { type Column, printJson, printTable, timeText } from './output-list.ts';
import { parseLabels } from './parse-label.ts';
import { collect } from './repeat.ts';
import { UsageError } from './usage-error.ts';

type Options = Readonly<Record<string, unknown>>;

/** `device add|remove|list`. */
export function addDeviceCommands(program: Command, context: CliContext): void {
  const command = program.command('device').description('devices that may link');
  addPlaceOptions(command.command('add'))
    .description('make a device known, or give one that is known other labels')
    .argument('<id>', 'the id of the device')
    .requiredOption('--public-key <key>', 'what "pullwire-agent keygen" printed')
    .option('--label <name=value>', 'a label that grants may ask for; repeatable', collect, [])
    .action((id: string, options: Options) => addDevice(id, options, context));
  addPlaceOptions(command.command('remove'))
    .description('forget a device: its links end, and it cannot link again')
    .argument('<id>', 'the id of the device')
    .action((id: string, options: Options) => removeDevice(id, options, context));
  addPlaceOptions(command.command('list'))
    .description('show the devices that are known')
    .option('--json', 'as a JSON array')
    .action((options: Options) => listDevices(options, context));
}

async function addDevice(id: string, options: Options, context: CliContext): Promise<void> {
  const device = checkedId(id);
  const publicKey = String(options['publicKey']);
  if (parseDeviceKey(publicKey) === undefined) {
    throw new UsageError('--public-key must be "ed25519:" and 43 characters of base64url');
  }
  const labels = parseLabels(options['label'] as string[]);
  const createdAt = context.clock.wall();
  await withRegistry(options, context, async (registry) => {
    const outcome = await registry.addDevice({ device, publicKey, labels, createdAt });
    const known = 'is known already; it has these labels now';
    context.note(`device ${device} ${outcome === 'added' ? 'added' : known}\n`);
  });
}

async function removeDevice(id: string, options: Options, context: CliContext): Promise<void> {
  const device = checkedId(id);
  await withRegistry(options, context, async (registry) => {
    if (!(await registry.removeDevice(device))) throw new Error(`there is no device ${device}`);
    context.note(`device ${device} removed\n`);
  });
}

function checkedId(id: string): string {
  if (devicePattern.test(id)) return id;
  throw new UsageError(
    `"${id}" is no device id: 1 to 128 letters, digits, ".", "_", ":" or "-", beginning with a letter or digit`,
  );
}

async function listDevices(options: Options, context: CliContext): Promise<void> {
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

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
