import { PullFault } from '@pullwire/shared';
import type { CommandParameter } from './command-parameter.ts';

/**
 * The values of a command's parameters, from a raw query in the form of `application/x-www-form-urlencoded`. Throws
 * `PullFault` `parameter-refused` where one is unknown, repeated, missing or not valid. Values are not repeated in it.
 */
export function readParameters(
  query: string | undefined,
  parameters: ReadonlyMap<string, CommandParameter>,
): ReadonlyMap<string, string> {
  const given = parsePairs(query ?? '');
  const values = new Map<string, string>();
  for (const name of given.keys()) {
    if (!parameters.has(name))
      throw refused(`parameter ${JSON.stringify(name.slice(0, 64))} is unknown`);
  }
  for (const [name, parameter] of parameters) {
    const value = given.get(name) ?? parameter.default;
    if (value === undefined) throw refused(`parameter ${name} is missing`);
    const problem = parameter.problemWith(value);
    if (problem !== undefined) throw refused(`parameter ${name} ${problem}`);
    values.set(name, value);
  }
  return values;
}

function parsePairs(query: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    if (pairs.has(name))
      throw refused(`parameter ${JSON.stringify(name.slice(0, 64))} is repeated`);
    pairs.set(name, equals === -1 ? '' : decode(pair.slice(equals + 1)));
  }
  return pairs;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw refused('the percent-encoding of the query is not valid');
  }
}

function refused(detail: string): PullFault {
  return new PullFault('parameter-refused', 'policy', { detail });
}
