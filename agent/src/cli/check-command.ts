import { readFileSync } from 'node:fs';
import { systemClock } from '@pullwire/shared';
import { helloOf } from '../agent-hello.ts';
import { AgentSources } from '../agent-sources.ts';
import type { AgentConfig } from '../config/agent-config.ts';
import { publicKeyText, readDeviceKey } from '../identity/device-key.ts';
import { proxyFor, withoutCredentials } from '../link/proxy.ts';
import { parseHttpTarget } from '../source/http-target.ts';
import type { SourceConfig } from '../source/source-config.ts';
import type { CliHost } from './cli-host.ts';

/** Opens what `run` would open, dials nothing, and prints what may be asked of whom. */
export async function check(config: AgentConfig, host: CliHost): Promise<void> {
  const key = config.tokenFile === null ? await readDeviceKey(config.keyFile) : undefined;
  const proxy = proxyFor(new URL(config.relay), host.env);
  const deps = { clock: systemClock, env: host.env, readFile: readFileSync };
  const sources = new AgentSources(deps, () => {});
  await sources.replace(config.sources, (infos) => helloOf(config, infos));
  await sources.close();
  const lines = [
    `relay     ${config.relay} (audience ${config.audience})`,
    `proxy     ${proxy === undefined ? 'none' : withoutCredentials(proxy)}`,
    `device    ${config.device}, instance ${config.instance}`,
    key === undefined
      ? `token     from ${config.tokenFile}, in place of a key`
      : `key       ${publicKeyText(key)}`,
    `encodings ${config.subprotocols.join(', ') || 'none offered: pullwire.v1+json'}`,
    `uploads   to the relay's host ${config.uploadHosts.map((host) => `and ${host} `).join('')}only`,
    ...[...config.sources].flatMap(([name, source]) => describeSource(name, source)),
    ...describeSchedules(config),
    'The configuration is valid.',
  ];
  host.writeOut(`${lines.join('\n')}\n`);
}

function describeSource(name: string, source: SourceConfig): string[] {
  const { requestBytes, pulls, rate } = source.limits;
  const allowed = source.allow.map(
    ({ methods, paths, callers }) =>
      `${methods.join(' ')} on ${paths.join(' ')}${callers === undefined ? '' : `, for ${callers.join(', ')} only`}`,
  );
  const most = [
    `${pulls} pulls in flight`,
    ...(rate === null ? [] : [`${rate.perSecond} a second`]),
    requestBytes === 0 ? 'no request body' : `request bodies of ${requestBytes} bytes`,
  ];
  return [
    `source    ${name}: ${source.kind} ${describeTarget(source)}`,
    ...(allowed.length === 0 ? ['  allows  nothing'] : allowed.map((rule) => `  allows  ${rule}`)),
    `  at most ${most.join(', ')}`,
  ];
}

function describeSchedules({ schedules, spool }: AgentConfig): string[] {
  if (schedules.size === 0) return [];
  const lines = [...schedules].map(([name, { cron, timeZone, source, path, query }]) => {
    const when = timeZone === undefined ? cron : `${cron} (${timeZone})`;
    // A query may hold a secret.
    return `schedule  ${name}: ${when} GET ${path}${query === undefined ? '' : '?…'} of ${source}`;
  });
  const bounds = `${spool.maxBytes} bytes and ${spool.maxAgeHours} hours at most`;
  return [...lines, `spool     ${spool.path}: ${bounds}`];
}

function describeTarget(source: SourceConfig): string {
  switch (source.kind) {
    case 'http':
      return parseHttpTarget(source.url).label;
    case 'file':
      return source.root;
    case 'command':
      return source.argv[0] ?? '';
  }
}
