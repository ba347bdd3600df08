import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AgentConfig } from '../config/agent-config.ts';
import { loadConfig } from '../config/load-config.ts';
import {
  checkKeyFile,
  checkMachine,
  checkName,
  checkProgram,
  type ServiceProgram,
  unreadable,
} from '../service/service-check.ts';
import { ServiceError } from '../service/service-error.ts';
import { needsOf } from '../service/service-needs.ts';
import { installSteps, servicePaths, uninstallSteps } from '../service/service-plan.ts';
import { checkSteps, type StepPlace, takeSteps } from '../service/service-step.ts';
import { type UnitOptions, unitText } from '../service/unit-text.ts';
import { version } from '../version.ts';
import type { CliHost } from './cli-host.ts';

interface ServiceOptions {
  readonly name: string;
  readonly root: string;
  readonly dryRun?: boolean;
}

export interface InstallOptions extends ServiceOptions {
  readonly config: string;
  readonly memory: string;
  readonly print?: boolean;
  readonly now?: boolean;
}

export interface UninstallOptions extends ServiceOptions {
  readonly purge?: boolean;
}

/** systemd.syntax(7): a number with a unit of 1024. */
const memoryPattern = /^[1-9]\d{0,9}[KMGT]?$/;
/** sd_booted(3). */
const bootedFolder = '/run/systemd/system';

/** Makes the agent a service of systemd. Doing it again brings the unit up to date, and changes nothing else. */
export async function install(options: InstallOptions, host: CliHost): Promise<void> {
  const { name, memory, now = false } = options;
  checkName(name);
  if (!memoryPattern.test(memory)) {
    throw new ServiceError(`--memory "${memory}": expected a size such as 512M or 1G`);
  }
  const configFile = resolve(host.workingFolder, options.config);
  const config = configOf(configFile, host);
  checkKeyFile(config.keyFile, name);
  if (options.print)
    return host.writeOut(unitText(unitOf(options, configFile, config, host.program)));
  const place = placeOf(options, host);
  if (place.root === '/' && !place.dryRun) checkMachine('install', machineOf(host));
  const program = place.root === '/' ? await checkProgram(host.program) : host.program;
  const unit = unitOf(options, configFile, config, program);
  const hasState = existsSync(join(place.root, servicePaths(name).state));
  const steps = installSteps(unit, { now, hasState });
  await checkSteps(steps, place.root);
  await takeSteps(steps, place);
  const warning = await unreadable(configFile, name);
  if (warning !== undefined) host.writeError(`pullwire-agent: ${warning}\n`);
  if (!place.dryRun) host.writeOut(nextText(options, configFile));
}

/** Takes away what `install` wrote. What belongs to the device (key, configuration) stays, unless `purge` says so. */
export async function uninstall(options: UninstallOptions, host: CliHost): Promise<void> {
  const { name, purge = false } = options;
  checkName(name);
  const place = placeOf(options, host);
  if (place.root === '/' && !place.dryRun) checkMachine('uninstall', machineOf(host));
  const { unit, state } = servicePaths(name);
  const isInstalled = existsSync(join(place.root, unit));
  await takeSteps(uninstallSteps(name, { purge, isInstalled }), place);
  if (!isInstalled) host.writeOut(`There is no service ${name}.\n`);
  if (!purge && existsSync(join(place.root, state))) {
    host.writeOut(
      `The key is still in ${state}, and the user ${name} is there; --purge removes both.\n`,
    );
  }
}

/** As the service will read it: its environment is not this one. */
function configOf(file: string, { workingFolder }: CliHost): AgentConfig {
  return loadConfig({ file, env: {}, flags: {}, workingFolder });
}

function unitOf(
  { name, memory }: InstallOptions,
  configFile: string,
  { drainMs, sources }: AgentConfig,
  { node, script }: ServiceProgram,
): UnitOptions {
  const needs = needsOf(sources);
  return { name, version, node, script, configFile, drainMs, memory, needs };
}

function placeOf({ root, dryRun = false }: ServiceOptions, host: CliHost): StepPlace {
  return {
    root: resolve(host.workingFolder, root),
    dryRun,
    say: (line) => host.writeOut(`${dryRun ? 'would ' : ''}${line}\n`),
  };
}

const machineOf = ({ uid }: CliHost) => ({ uid, hasSystemd: existsSync(bootedFolder) });

function nextText({ name, now, root }: InstallOptions, configFile: string): string {
  const start = now || root !== '/' ? '' : `Start it:  systemctl restart ${name}\n`;
  return (
    `${start}Look:      systemctl status ${name}; journalctl -u ${name}; pullwire-agent status --config ${configFile}\n` +
    `Change:    ${configFile}, then systemctl reload ${name}; the unit: systemctl edit ${name}\n`
  );
}
