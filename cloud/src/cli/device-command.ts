import type { Command } from 'commander';
import type { CliContext, CommandOptions } from './cli-context.ts';
import { addLinkOptions, addPlaceOptions } from './config-option.ts';
import { addDevice } from './device-add.ts';
import { removeDevice, revokeDevice } from './device-end.ts';
import { listDevices } from './device-list.ts';
import { rotateDevice } from './device-rotate.ts';
import { collect } from './repeat.ts';

/** `device add|remove|revoke|rotate|list`. */
export function addDeviceCommands(program: Command, context: CliContext): void {
  const command = program.command('device').description('devices that may link');
  addPlaceOptions(command.command('add'))
    .description('make a device known, or give one that is known other labels')
    .argument('<id>', 'the id of the device')
    .option('--public-key <key>', 'what "pullwire-agent keygen" printed')
    .option('--issuer <url>', 'whose tokens speak for the device, in place of a key of its own')
    .option('--label <name=value>', 'a label that grants may ask for; repeatable', collect, [])
    .action((id: string, options: CommandOptions) => addDevice(id, options, context));
  addLinkOptions(command.command('remove'))
    .description('forget a device: its links end, and it cannot link again')
    .argument('<id>', 'the id of the device')
    .action((id: string, options: CommandOptions) => removeDevice(id, options, context));
  addLinkOptions(command.command('revoke'))
    .description('end a device that stays known: its links end, and it cannot link again')
    .argument('<id>', 'the id of the device')
    .option('--reason <text>', 'why: the device is told, and its log has it')
    .action((id: string, options: CommandOptions) => revokeDevice(id, options, context));
  addLinkOptions(command.command('rotate'))
    .description('have the agent make another key; the old one holds until the new one was used')
    .argument('<id>', 'the id of the device')
    .action((id: string, options: CommandOptions) => rotateDevice(id, options, context));
  addPlaceOptions(command.command('list'))
    .description('show the devices that are known')
    .option('--json', 'as a JSON array')
    .action((options: CommandOptions) => listDevices(options, context));
}
