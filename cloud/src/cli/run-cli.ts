import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { version } from '../version.ts';
import type { CliContext } from './cli-context.ts';
import { addDeviceCommands } from './device-command.ts';
import { addEnrolCodeCommands } from './enrol-code-command.ts';
import { addKeyCommands } from './key-command.ts';
import { addServeCommand } from './serve-command.ts';
import { UsageError } from './usage-error.ts';

/** Runs one command; resolves with the exit code: 0, 2 for wrong usage or configuration, 1 for everything else. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  try {
    await program(context).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has been said
    context.note(`pullwire-relay: ${sentence(error)}\n`);
    return error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
  }
}

function program(context: CliContext): Command {
  const command = new Command('pullwire-relay')
    .description('The relay of pullwire: agents dial in, callers pull through it.')
    .version(version)
    .enablePositionalOptions() // what follows the name of a command is that command's
    .exitOverride()
    .configureOutput({ writeOut: context.out, writeErr: context.note });
  addServeCommand(command, context);
  addEnrolCodeCommands(command, context);
  addDeviceCommands(command, context);
  addKeyCommands(command, context);
  return command;
}

/** The message, and that of the cause where it says more. */
function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error && cause.message !== '' ? `${message}: ${cause.message}` : message;
}
