import { createLog } from '@pullwire/shared/process-log';
import type { Command } from 'commander';
import { describeConfig } from '../config/config-setting.ts';
import { loadConfig } from '../config/load-config.ts';
import type { CliContext } from './cli-context.ts';
import { addConfigOptions, flagsOf } from './config-option.ts';
import { serve } from './serve.ts';

/** `serve`: the one-box server. */
export function addServeCommand(program: Command, context: CliContext): void {
  addConfigOptions(program.command('serve'))
    .description('run the relay on this box; agents and callers connect to one port')
    .addHelpText('after', settingsHelp)
    .action((options: Readonly<Record<string, unknown>>) => runServe(options, context));
}

async function runServe(
  options: Readonly<Record<string, unknown>>,
  context: CliContext,
): Promise<void> {
  const config = loadConfig({
    file: options['config'] as string | undefined,
    env: context.env,
    flags: flagsOf(options),
    workingFolder: context.workingFolder,
  });
  const { log, flush } = createLog(config.logLevel);
  try {
    await serve(config, context, log);
  } finally {
    flush();
  }
}

/** Every setting with its name in the file, its variable and its default. */
function settingsHelp(): string {
  const settings = describeConfig().map((setting) => {
    const usual = setting.default === null ? 'not set' : JSON.stringify(setting.default);
    return `  ${setting.key} (${setting.env}; default: ${usual})\n      ${setting.doc}\n`;
  });
  return `\nSettings of the file and of the environment; options win over both:\n${settings.join('')}`;
}
