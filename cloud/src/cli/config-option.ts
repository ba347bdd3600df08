import { type Command, Option } from 'commander';
import { type ConfigSetting, describeConfig } from '../config/config-setting.ts';

/** The settings that say where the registry is: every command needs them. */
const placeKeys = ['dataFolder', 'table.name', 'table.region', 'table.endpoint'];

/** Only commands ask for it: a server holds its links itself. */
const linkKeys = ['connectionsUrl'];

/** The options of `serve`: every setting that has a flag. */
export function addConfigOptions(command: Command): Command {
  return addOptions(
    command,
    flagged().filter((setting) => !linkKeys.includes(setting.key)),
  );
}

/** The options that say where the registry is. `more`: the keys of further settings that the command takes. */
export function addPlaceOptions(command: Command, more: readonly string[] = []): Command {
  return addOptions(
    command,
    flagged().filter(({ key }) => placeKeys.includes(key) || more.includes(key)),
  );
}

/** The options of commands that reach for a device's links besides. */
export function addLinkOptions(command: Command): Command {
  return addPlaceOptions(command, linkKeys);
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
