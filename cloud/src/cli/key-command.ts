import type { Command } from 'commander';
import { generateCallerKey } from '../auth/caller-key.ts';
import type { CliContext, CommandOptions } from './cli-context.ts';
import { addPlaceOptions } from './config-option.ts';
import { grantKey } from './key-grant.ts';
import { expiryText, listKeys } from './key-list.ts';
import { addGrantOptions, grantOf, keyId } from './key-option.ts';
import { withRegistry } from './open-registry.ts';
import { parseDuration } from './parse-duration.ts';
import { describeGrant } from './parse-grant.ts';
import { UsageError } from './usage-error.ts';

/** `key add|grant|revoke|list`. */
export function addKeyCommands(program: Command, context: CliContext): void {
  const command = program.command('key').description('keys of callers, and what they may pull');
  addGrantOptions(addPlaceOptions(command.command('add')))
    .description('make a key; it is printed once, on stdout')
    .requiredOption('--name <name>', 'who it is for')
    .option('--expires <duration>', 'such as 30m, 12h or 90d. Default: never.')
    .action((options: CommandOptions) => addKey(options, context));
  addGrantOptions(addPlaceOptions(command.command('grant')))
    .description('let a key pull more: a grant beside those that it has')
    .argument('<id>', 'the id of the key: what stands between its two underscores')
    .action((id: string, options: CommandOptions) => grantKey(id, options, context));
  addPlaceOptions(command.command('revoke'))
    .description('end a key: a running relay refuses it at once, others within 10 seconds')
    .argument('<id>', 'the id of the key: what stands between its two underscores')
    .action((id: string, options: CommandOptions) => revokeKey(id, options, context));
  addPlaceOptions(command.command('list'))
    .description('show the keys, without what is secret of them')
    .option('--json', 'as a JSON array')
    .action((options: CommandOptions) => listKeys(options, context));
}

async function addKey(options: CommandOptions, context: CliContext): Promise<void> {
  const name = String(options['name']);
  if (!/^[^\p{Cc}]{1,64}$/u.test(name)) throw new UsageError('--name must be 1 to 64 characters');
  const now = context.clock.wall();
  const grant = grantOf(options, now);
  const { expires } = options;
  const expiry =
    typeof expires === 'string'
      ? { expiresAt: Math.ceil(now / 1_000) + parseDuration('--expires', expires) }
      : {};
  await withRegistry(options, context, async (registry) => {
    const { id, key, hash, prefix } = generateCallerKey();
    await registry.addKey({ id, name, hash, prefix, grants: [grant], createdAt: now, ...expiry });
    context.note(`key ${id} for ${name}: ${describeGrant(grant)}; ${expiryText(expiry)}\n`);
    context.note('It is shown this once:\n');
    context.out(`${key}\n`);
  });
}

async function revokeKey(
  text: string,
  options: CommandOptions,
  context: CliContext,
): Promise<void> {
  const id = keyId(text);
  await withRegistry(options, context, async (registry) => {
    if (!(await registry.revokeKey(id, context.clock.wall()))) {
      throw new Error(`there is no key ${id} in force`);
    }
    context.note(`key ${id} revoked\n`);
  });
}
