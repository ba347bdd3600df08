import { type Command, Option } from 'commander';
import { type ConfigSetting, describeConfig } from '../config/config-setting.ts';

/** The settings that say where the registry is: every command needs them. */
const placeKeys = ['dataFolder', 'table.name', 'table.region', 'table.endpoint'];

/** The options of `serve`: every setting that has a flag. */
export function addConfigOptions(command: Command): Command {
  return addOptions(command, flagged());
}

/** The options that say where the registry is. */
export function addPlaceOptions(command: Command): Command {
  return addOptions(
    command,
    flagged().filter((setting) => placeKeys.includes(setting.key)),
  );
}

/** What the options say, by the settings' keys. */
export function flagsOf(
  options: Readonly<Record<string, unknown>>,
): Record<string, string | boolean | undefined> {
  return Object.fromEntries(
    flagged().map((setting) => {
      const value = options[toOption(setting).attributeName()];
      return [setting.key, value as string | boolean | undefined];
    }),
  );
}

function addOptions(command: Command, settings: readonly ConfigSetting[]): Command {
  command.option('--config <file>', 'configuration file, YAML or JSON (PULLWIRE_RELAY_CONFIG)');
  for (const setting of settings) command.addOption(toOption(setting));
  return command;
}

function flagged(): ConfigSetting[] {
  return describeConfig().filter((setting) => setting.flag !== undefined);
}

function toOption(setting: ConfigSetting): Option {
  const usual = typeof setting.default === 'string' ? ` Default: ${setting.default}.` : '';
  return new Option(setting.flag ?? '', `${setting.doc}${usual}`);
}
