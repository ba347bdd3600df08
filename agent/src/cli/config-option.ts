import { type Command, Option } from 'commander';
import type { AgentConfig } from '../config/agent-config.ts';
import { type ScalarSetting, scalarSettings } from '../config/config-setting.ts';
import {
  type ConfigOrigins,
  type EnrolSettings,
  loadConfig,
  loadEnrolSettings,
} from '../config/load-config.ts';
import type { CliHost } from './cli-host.ts';

type Values = Readonly<Record<string, string | boolean | undefined>>;

const options = new Map(scalarSettings.map((setting) => [setting.key, optionOf(setting)]));

/** Adds `--config` and an option for each setting that has one value. */
export function addConfigOptions(command: Command): Command {
  command.option('-c, --config <file>', 'configuration in YAML or JSON (PULLWIRE_AGENT_CONFIG)');
  for (const option of options.values()) command.addOption(option);
  return command;
}

/** @throws ConfigError with every mistake at once. */
export function loadConfigOf(values: Values, host: CliHost): AgentConfig {
  return loadConfig(originsOf(values, host));
}

/** @throws ConfigError, of what an enrolment needs alone. */
export function loadEnrolSettingsOf(values: Values, host: CliHost): EnrolSettings {
  return loadEnrolSettings(originsOf(values, host));
}

function originsOf(values: Values, host: CliHost): ConfigOrigins {
  const text = (name: string): string | undefined => {
    const value = values[name];
    return value === undefined ? undefined : String(value);
  };
  const flags = [...options].map(([key, option]) => [key, text(option.attributeName())] as const);
  return {
    file: text('config'),
    env: host.env,
    flags: Object.fromEntries(flags),
    workingFolder: host.workingFolder,
  };
}

function optionOf({ flag, format, doc, env }: ScalarSetting): Option {
  const takes = format === 'switch' ? '' : ' <value>';
  return new Option(`${flag}${takes}`, `${doc} (${env})`);
}
