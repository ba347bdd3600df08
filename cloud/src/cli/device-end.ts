import type { CliContext, CommandOptions } from './cli-context.ts';
import { checkedDeviceId } from './device-id.ts';
import { reachOf } from './link-reach.ts';
import { openLinks } from './open-links.ts';
import { withRegistry } from './open-registry.ts';
import { timeText } from './output-list.ts';
import { UsageError } from './usage-error.ts';

const removedWhy = 'this device was removed from the relay';
const revokedWhy = 'an operator revoked this device';

/** `device remove`: nothing of the device is kept. */
export async function removeDevice(
  id: string,
  options: CommandOptions,
  context: CliContext,
): Promise<void> {
  const device = checkedDeviceId(id);
  await withRegistry(options, context, async (registry, config) => {
    const found = await registry.device(device); // its links are forgotten with it
    if (!(await registry.removeDevice(device))) throw new Error(`there is no device ${device}`);
    context.note(`device ${device} removed\n`);
    const links = openLinks(found?.links ?? [], context.clock.wall());
    await reachOf(config, context).end(links, removedWhy);
  });
}

/** `device revoke`: the device stays known, and may not link. What was revoked before is revoked no further. */
export async function revokeDevice(
  id: string,
  options: CommandOptions,
  context: CliContext,
): Promise<void> {
  const device = checkedDeviceId(id);
  const at = context.clock.wall();
  const why = reasonOf(options);
  await withRegistry(options, context, async (registry, config) => {
    const revoked = await registry.revokeDevice(device, { at, why });
    const found = await registry.device(device);
    if (found === undefined) throw new Error(`there is no device ${device}`);
    const { revokedAt = at, revokedWhy: reason = why } = found.record;
    context.note(
      revoked
        ? `device ${device} revoked; "enroll-code --device ${device} --replace" lets it in again\n`
        : `device ${device} was revoked ${timeText(revokedAt)} (${reason}); that stands\n`,
    );
    await reachOf(config, context).end(openLinks(found.links, at), reason);
  });
}

/** It travels in a `bye` (PROTOCOL.md, "Limits"). */
function reasonOf({ reason }: CommandOptions): string {
  if (reason === undefined) return revokedWhy;
  if (/^[^\p{Cc}]{1,200}$/u.test(String(reason))) return String(reason);
  throw new UsageError('--reason must be 1 to 200 characters on one line');
}
