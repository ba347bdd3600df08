import { parseArgs } from 'node:util';
import { type CaseName, caseNames, idleLinks, type LoadCaseName, loadCaseNames } from './case.ts';
import { type SystemName, systemNames } from './system/system.ts';

export interface Options {
  readonly rounds: number;
  /** Of each load; whole ones. */
  readonly seconds: number;
  readonly cases: readonly CaseName[];
  readonly systems: readonly SystemName[];
  /** Idle links to open; 0: not measured. */
  readonly links: number;
  readonly nginxWorkers: number;
  readonly proxyLogs: boolean;
  readonly build: boolean;
  readonly strict: boolean;
  /** The load under which to look, instead of measuring. */
  readonly profile: LoadCaseName | undefined;
}

/** A mistake in the arguments; its message is for whoever typed them. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `npm run bench -- [OPTIONS]

Measures pullwire beside nginx and other tunnels on this machine, all in turn in each round, and prints
medians as Markdown. Everything is kept in bench/results/latest.json. How to read it: bench/README.md.

  --rounds N          rounds, of which the median counts (5)
  --seconds N         length of each load (2; 10 with --profile)
  --quick             one round of 1 s each and 200 idle links: shows that all works, not how fast
  --only CASE         only this case; may be repeated: ${caseNames.join(', ')},
                      ${idleLinks}
  --system NAME       only this system; may be repeated: ${systemNames.join(', ')}.
                      Ratios and their targets need nginx
  --links N           idle links to open (1000)
  --nginx-workers N   worker_processes of the nginx proxy (1)
  --proxy-log on|off  whether the nginx proxy writes its access log, as Debian's does (on)
  --no-build          take the bundles in dist/ as they are
  --profile           instead of measuring, say where relay and agent spend their time, under 200b-32 or
                      the load that --only names
  --strict            exit with 1 where a target is missed, or none was measured
  --help              this text

Needs nginx, wrk, curl and openssl; measures ssh -R, rathole and bore where they are installed.`;

const flags = {
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true },
  system: { type: 'string', multiple: true },
  links: { type: 'string' },
  'nginx-workers': { type: 'string', default: '1' },
  'proxy-log': { type: 'string', default: 'on' },
  'no-build': { type: 'boolean', default: false },
  profile: { type: 'boolean', default: false },
  strict: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** The options, or that help was asked for. @throws UsageError. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const only = (values.only ?? []).map((name) => oneOf('--only', name, [...caseNames, idleLinks]));
  const systems = (values.system ?? []).map((name) => oneOf('--system', name, systemNames));
  const links = wholeNumber('--links', values.links ?? (values.quick ? '200' : '1000'), 1);
  const seconds = values.seconds ?? (values.quick ? '1' : values.profile ? '10' : '2');
  return {
    rounds: wholeNumber('--rounds', values.rounds ?? (values.quick ? '1' : '5'), 1),
    seconds: wholeNumber('--seconds', seconds, 1),
    cases: only.length === 0 ? caseNames : caseNames.filter((name) => only.includes(name)),
    systems:
      systems.length === 0 ? systemNames : systemNames.filter((name) => systems.includes(name)),
    links: only.length === 0 || only.includes(idleLinks) ? links : 0,
    nginxWorkers: wholeNumber('--nginx-workers', values['nginx-workers'], 1),
    proxyLogs: oneOf('--proxy-log', values['proxy-log'], ['on', 'off']) === 'on',
    build: !values['no-build'],
    strict: values.strict,
    profile: values.profile ? profiledCase(only) : undefined,
  };
}

function profiledCase([name = '200b-32']: readonly string[]): LoadCaseName {
  return oneOf('--only with --profile', name, loadCaseNames);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new UsageError(`${flag} takes a whole number from ${least} up, not ${text}`);
}

function oneOf<const Name extends string>(
  flag: string,
  text: string,
  names: readonly Name[],
): Name {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UsageError(`${flag} takes one of ${names.join(', ')}, not ${text}`);
}
