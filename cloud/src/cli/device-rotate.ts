import type { DeviceRecord } from '../registry/registry.ts';
import type { CliContext, CommandOptions } from './cli-context.ts';
import { checkedDeviceId } from './device-id.ts';
import { reachOf } from './link-reach.ts';
import { openLinks } from './open-links.ts';
import { withRegistry } from './open-registry.ts';

/** `device rotate`: the agent makes another key, over its link or over the next one that it opens. */
export async function rotateDevice(
  id: string,
  options: CommandOptions,
  context: CliContext,
): Promise<void> {
  const device = checkedDeviceId(id);
  const now = context.clock.wall();
  await withRegistry(options, context, async (registry, config) => {
    const found = await registry.device(device);
    checkRotatable(device, found?.record);
    if (!(await registry.askRotation(device, now))) {
      throw new Error(`the device ${device} was changed meanwhile: look at "device list"`);
    }
    context.note(`device ${device}: another key is asked for; "device list" shows how it stands\n`);
    const links = openLinks(found?.links ?? [], now).filter(({ features }) =>
      features.includes('rotate'),
    );
    await reachOf(config, context).ask(links);
  });
}

function checkRotatable(device: string, record: DeviceRecord | undefined): void {
  if (record === undefined) throw new Error(`there is no device ${device}`);
  if (record.revokedAt !== undefined) throw new Error(`the device ${device} is revoked`);
  if (record.publicKey.startsWith('issuer:')) {
    throw new Error(`the device ${device} has no key of its own: its issuer's tokens speak for it`);
  }
}
