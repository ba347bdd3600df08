import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '@pullwire/shared';
import { createLog } from '@pullwire/shared/process-log';
import type { Logger } from 'pino';
import { type Agent, createAgent } from '../agent.ts';
import type { AgentConfig } from '../config/agent-config.ts';
import { ConfigError, describeProblem } from '../config/config-error.ts';
import type { EnrolSettings } from '../config/load-config.ts';
import { ServiceManager } from '../service/service-manager.ts';
import { SourceOpenError } from '../source/open-source.ts';
import { type CliHost, exitCodes } from './cli-host.ts';
import { enrollCodeVariable } from './enroll-command.ts';
import { enrolAtFirstStart } from './first-start.ts';
import { stopSignals, whenStopped } from './stop-signals.ts';

/** How the configuration is read: the part that an enrolment needs, and the whole. */
export interface ConfigLoads {
  enrolment(): EnrolSettings;
  config(): AgentConfig;
}

/** Runs the agent until a signal or the relay ends it. Resolves with the exit code. */
export async function run(loads: ConfigLoads, host: CliHost): Promise<number> {
  const stop = stopSignals(host);
  if (!(await firstStart(loads, host, stop))) return exitCodes.ok;
  const load = (): AgentConfig => loads.config();
  const config = load();
  const { log, flush } = createLog(config.log.level);
  const ended = Promise.withResolvers<number>();
  const agent = createAgent(config, {
    clock: systemClock,
    random: Math.random,
    newId: randomUUID,
    env: host.env,
    readFile: readFileSync,
    logger: log,
    onFinal: ({ exitCode, text }) => {
      host.writeError(`pullwire-agent: ${text}\n`);
      ended.resolve(exitCode);
    },
  });
  const manager = new ServiceManager({ env: host.env, clock: systemClock, log });
  handleSignals(agent, { load, log, host });
  whenStopped(stop, (signal) => {
    log.info({ signal }, 'stopping; a second signal ends at once');
    ended.resolve(exitCodes.ok);
  });
  try {
    await agent.start();
    manager.start(() => describeLink(agent));
    const code = await ended.promise;
    manager.stop();
    sayLastTrouble(agent, code, host);
    await agent.stop();
    log.info({ code }, 'agent stopped');
    return code;
  } finally {
    flush();
  }
}

/** Whoever finds it stopped and never linked wants to know why, without reading the log. */
function sayLastTrouble(agent: Agent, code: number, host: CliHost): void {
  const { neverLinked, lastTrouble } = agent;
  if (code !== exitCodes.ok || !neverLinked || lastTrouble === undefined) return;
  host.writeError(`pullwire-agent: it was never linked: ${lastTrouble}\n`);
}

/** For `systemctl status`. */
function describeLink({ linked, lastTrouble }: Agent): string {
  return linked ? 'linked' : `not linked: ${lastTrouble ?? 'dialling'}`;
}

/** Before anything else is read: the device may not know yet who it is. False: it was told to stop meanwhile. */
async function firstStart(loads: ConfigLoads, host: CliHost, stop: AbortSignal): Promise<boolean> {
  if (!host.env[enrollCodeVariable]) return true;
  const settings = loads.enrolment();
  const { log, flush } = createLog(settings.logLevel);
  // It may take as long as the relay is away: whoever waits for this service must not.
  const manager = new ServiceManager({ env: host.env, clock: systemClock, log });
  whenStopped(stop, (signal) => log.info({ signal }, 'stopping'));
  try {
    manager.start(() => 'enrolling');
    return await enrolAtFirstStart(settings, host, log, stop);
  } finally {
    manager.pause();
    flush();
  }
}

interface Running {
  load(): AgentConfig;
  readonly log: Logger;
  readonly host: CliHost;
}

function handleSignals(agent: Agent, { load, log, host }: Running): void {
  // One after the other: each compares with what the one before it has made.
  let reloads = Promise.resolve();
  host.onSignal('SIGHUP', () => {
    reloads = reloads.then(() => reload(agent, load, log));
  });
  host.onSignal('SIGUSR2', () => log.info(agent.snapshot(), 'snapshot'));
}

/** Takes the new configuration whole, or not at all. */
async function reload(agent: Agent, load: () => AgentConfig, log: Logger): Promise<void> {
  try {
    const needRestart = await agent.reload(load());
    log.info({}, 'configuration reloaded');
    if (needRestart.length > 0)
      log.warn({ settings: needRestart }, 'these settings need a restart');
  } catch (error) {
    const isKnown = error instanceof ConfigError || error instanceof SourceOpenError;
    const why = isKnown ? { problems: error.problems.map(describeProblem) } : { err: error };
    log.error(why, 'configuration refused; the one before it stays');
  }
}
