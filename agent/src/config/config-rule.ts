import { AllowList } from '../policy/allow-list.ts';
import { splitPath } from '../policy/path-rule.ts';
import type { ScheduleConfig } from '../schedule/schedule-config.ts';
import type { ConfigProblem } from '../source/config-problem.ts';
import { parseHttpTarget } from '../source/http-target.ts';
import type { SourceConfig } from '../source/source-config.ts';
import type { AgentConfig } from './agent-config.ts';
import { isLoopback } from './loopback.ts';

const orInsecure = 'or "insecure: true", where tokens and data may be read on the way';

/** What is wrong with settings that are right each for itself. */
export function brokenRules(config: AgentConfig): readonly ConfigProblem[] {
  const { heartbeat, redial, insecure, sources, schedules } = config;
  return [
    ...atMost('heartbeat.minMs', heartbeat.minMs, 'heartbeat.maxMs', heartbeat.maxMs),
    ...atMost('redial.baseMs', redial.baseMs, 'redial.capMs', redial.capMs),
    ...healthInTheOpen(config),
    ...[...schedules].flatMap(([name, schedule]) => scheduleProblems(name, schedule, config)),
    ...(insecure ? [] : relayInTheClear(config)),
    ...(insecure ? [] : [...sources].flatMap(([name, source]) => sourceInTheClear(name, source))),
  ];
}

function atMost(key: string, value: number, limitKey: string, limit: number): ConfigProblem[] {
  return value <= limit ? [] : [{ key, value, expected: `at most ${limitKey}, which is ${limit}` }];
}

/** A schedule that could never bring anything. */
function scheduleProblems(
  name: string,
  { source, path, maxBytes }: ScheduleConfig,
  { sources, spool }: AgentConfig,
): ConfigProblem[] {
  const key = `schedules.${name}`;
  const found = sources.get(source);
  const large = atMost(`${key}.maxBytes`, maxBytes, 'spool.maxBytes', spool.maxBytes);
  if (found === undefined) {
    return [...large, { key: `${key}.source`, value: source, expected: 'the name of a source' }];
  }
  const allowList = new AllowList(found.allow);
  const caller = `schedule:${name}`;
  if (allowList.allows('GET', splitPath(path), caller)) return large;
  const expected = `a path that sources.${source}.allow lets ${caller} GET: ${allowList.describe(caller)}`;
  return [...large, { key: `${key}.path`, value: path, expected }];
}

function relayInTheClear({ relay }: AgentConfig): ConfigProblem[] {
  const { protocol, hostname } = new URL(relay);
  if (protocol === 'wss:' || isLoopback(hostname)) return [];
  return [{ key: 'relay', value: relay, expected: `wss:// off loopback, ${orInsecure}` }];
}

/** DESIGN.md, "Decisions" 10: nothing is open by default. `insecure` is about tokens and data, and does not open this. */
function healthInTheOpen({ health: { listen, insecure } }: AgentConfig): ConfigProblem[] {
  if (listen === null || insecure || isLoopback(listen.host)) return [];
  const expected =
    'a loopback address such as 127.0.0.1:9464, or "health.insecure: true", where others may read what is measured';
  return [{ key: 'health.listen', value: `${listen.host}:${listen.port}`, expected }];
}

function sourceInTheClear(name: string, source: SourceConfig): ConfigProblem[] {
  if (source.kind !== 'http') return [];
  const { isSecure, socketPath, hostname } = parseHttpTarget(source.url);
  if (isSecure || socketPath !== undefined || isLoopback(hostname)) return [];
  const key = `sources.${name}.url`;
  return [{ key, value: source.url, expected: `https:// off loopback, ${orInsecure}` }];
}
