import type { Command } from 'commander';
import type { Grant } from '../registry/registry.ts';
import type { CommandOptions } from './cli-context.ts';
import { parseGrant } from './parse-grant.ts';
import { collect } from './repeat.ts';
import { UsageError } from './usage-error.ts';

/** The options that say what a key may pull. */
export function addGrantOptions(command: Command): Command {
  return command
    .option('--devices <globs>', 'devices, such as plant-*; repeatable. Default: *.', collect, [])
    .option('--label <name=value>', 'only devices with this label; repeatable', collect, [])
    .option('--sources <globs>', 'sources, such as log-*; repeatable. Default: *.', collect, [])
    .option('--methods <list>', 'methods; * is any. Default: GET,HEAD.', collect, [])
    .option('--until <time>', 'the grant ends then: such as 12h or 2027-01-31. Default: never.')
    .option('--manage', 'may also delete these devices');
}

/** What they say; `now` in milliseconds. Throws `UsageError`. */
export function grantOf(options: CommandOptions, now: number): Grant {
  const { until } = options;
  return parseGrant(
    {
      devices: orDefault(options['devices'], ['*']),
      label: options['label'] as string[],
      sources: orDefault(options['sources'], ['*']),
      methods: orDefault(options['methods'], ['GET', 'HEAD']),
      manage: options['manage'] === true,
      until: typeof until === 'string' ? until : undefined,
    },
    now,
  );
}

function orDefault(given: unknown, usual: readonly string[]): readonly string[] {
  return Array.isArray(given) && given.length > 0 ? (given as string[]) : usual;
}

/** The id of a key, with or without the beginning that every key has. Throws `UsageError`. */
export function keyId(text: string): string {
  const id = text.replace(/^pwk_/, '');
  if (/^[A-Za-z0-9_-]{6}$/.test(id)) return id;
  throw new UsageError('the id of a key has 6 characters; give no more of the key than that');
}
