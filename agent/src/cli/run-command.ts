import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '@pullwire/shared';
import { createLog } from '@pullwire/shared/process-log';
import type { Logger } from 'pino';
import { type Agent, createAgent } from '../agent.ts';
import type { AgentConfig } from '../config/agent-config.ts';
import { ConfigError, describeProblem } from '../config/config-error.ts';
import type { EnrolSettings } from '../config/load-config.ts';
import { SourceOpenError } from '../source/open-source.ts';
import { type CliHost, exitCodes } from './cli-host.ts';
import { enrollCodeVariable } from './enroll-command.ts';
import { enrolAtFirstStart } from './first-start.ts';

/** How the configuration is read: the part that an enrolment needs, and the whole. */
export interface ConfigLoads {
  enrolment(): EnrolSettings;
  config(): AgentConfig;
}

/** Runs the agent until a signal or the relay ends it. Resolves with the exit code. */
export async function run(loads: ConfigLoads, host: CliHost): Promise<number> {
  await firstStart(loads, host);
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
  handleSignals(agent, { load, log, host, end: () => ended.resolve(exitCodes.ok) });
  try {
    await agent.start();
    const code = await ended.promise;
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

/** Before anything else is read: the device may not know yet who it is. */
async function firstStart(loads: ConfigLoads, host: CliHost): Promise<void> {
  if (!host.env[enrollCodeVariable]) return;
  const settings = loads.enrolment();
  const { log, flush } = createLog(settings.logLevel);
  try {
    await enrolAtFirstStart(settings, host, log);
  } finally {
    flush();
  }
}

interface Running {
  load(): AgentConfig;
  readonly log: Logger;
  readonly host: CliHost;
  end(): void;
}

function handleSignals(agent: Agent, { load, log, host, end }: Running): void {
  let isEnding = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    host.onSignal(signal, () => {
      if (isEnding) return host.exitNow(exitCodes.failed);
      isEnding = true;
      log.info({ signal }, 'stopping; a second signal ends at once');
      end();
    });
  }
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
