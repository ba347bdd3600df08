import type { Command } from 'commander';
import { generateCallerKey } from '../auth/caller-key.ts';
import type { KeyRecord } from '../registry/registry.ts';
import { eachItem } from '../registry/registry-pages.ts';
import type { CliContext } from './cli-context.ts';
import { addPlaceOptions } from './config-option.ts';
import { withRegistry } from './open-registry.ts';
import { type Column, printJson, printTable, timeText } from './output-list.ts';
import { parseDuration } from './parse-duration.ts';
import { describeGrant, parseGrant } from './parse-grant.ts';
import { collect } from './repeat.ts';
import { UsageError } from './usage-error.ts';

type Options = Readonly<Record<string, unknown>>;

/** `key add|revoke|list`. */
export function addKeyCommands(program: Command, context: CliContext): void {
  const command = program.command('key').description('keys of callers, and what they may pull');
  addPlaceOptions(command.command('add'))
    .description('make a key; it is printed once, on stdout')
    .requiredOption('--name <name>', 'who it is for')
    .option('--devices <globs>', 'devices, such as plant-*; repeatable. Default: *.', collect, [])
    .option('--label <name=value>', 'only devices with this label; repeatable', collect, [])
    .option('--sources <globs>', 'sources, such as log-*; repeatable. Default: *.', collect, [])
    .option('--methods <list>', 'methods; * is any. Default: GET,HEAD.', collect, [])
    .option('--manage', 'may also delete these devices')
    .option('--expires <duration>', 'such as 30m, 12h or 90d. Default: never.')
    .action((options: Options) => addKey(options, context));
  addPlaceOptions(command.command('revoke'))
    .description('end a key: a running relay refuses it at once, others within 10 seconds')
    .argument('<id>', 'the id of the key: what stands between its two underscores')
    .action((id: string, options: Options) => revokeKey(id, options, context));
  addPlaceOptions(command.command('list'))
    .description('show the keys, without what is secret of them')
    .option('--json', 'as a JSON array')
    .action((options: Options) => listKeys(options, context));
}

async function addKey(options: Options, context: CliContext): Promise<void> {
  const name = String(options['name']);
  if (!/^[^\p{Cc}]{1,64}$/u.test(name)) throw new UsageError('--name must be 1 to 64 characters');
  const grant = parseGrant({
    devices: orDefault(options['devices'], ['*']),
    label: options['label'] as string[],
    sources: orDefault(options['sources'], ['*']),
    methods: orDefault(options['methods'], ['GET', 'HEAD']),
    manage: options['manage'] === true,
  });
  const now = context.clock.wall();
  const { expires } = options;
  const expiry =
    typeof expires === 'string'
      ? { expiresAt: Math.ceil(now / 1_000) + parseDuration(expires) }
      : {};
  await withRegistry(options, context, async (registry) => {
    const { id, key, hash, prefix } = generateCallerKey();
    await registry.addKey({ id, name, hash, prefix, grants: [grant], createdAt: now, ...expiry });
    context.note(`key ${id} for ${name}: ${describeGrant(grant)}; ${expiryText(expiry)}\n`);
    context.note('It is shown this once:\n');
    context.out(`${key}\n`);
  });
}

function orDefault(given: unknown, usual: readonly string[]): readonly string[] {
  return Array.isArray(given) && given.length > 0 ? (given as string[]) : usual;
}

async function revokeKey(text: string, options: Options, context: CliContext): Promise<void> {
  const id = text.replace(/^pwk_/, '');
  if (!/^[A-Za-z0-9_-]{6}$/.test(id)) {
    throw new UsageError('the id of a key has 6 characters; give no more of the key than that');
  }
  await withRegistry(options, context, async (registry) => {
    if (!(await registry.revokeKey(id, context.clock.wall()))) {
      throw new Error(`there is no key ${id} in force`);
    }
    context.note(`key ${id} revoked\n`);
  });
}

async function listKeys(options: Options, context: CliContext): Promise<void> {
  await withRegistry(options, context, async (registry) => {
    const keys = eachItem((after) => registry.keys({ limit: 100, ...(after ? { after } : {}) }));
    if (options['json'] === true) await printJson(withoutHashes(keys), context.out);
    else await printTable(keys, keyColumns(context.clock.wall()), context.out);
  });
}

async function* withoutHashes(keys: AsyncIterable<KeyRecord>): AsyncGenerator<unknown> {
  for await (const { hash: _, ...shown } of keys) yield shown;
}

const keyColumns = (now: number): readonly Column<KeyRecord>[] => [
  { title: 'KEY', text: (key) => key.id },
  { title: 'NAME', text: (key) => key.name },
  { title: 'STATE', text: (key) => stateText(key, now) },
  { title: 'ADDED', text: (key) => timeText(key.createdAt) },
  { title: 'MAY PULL', text: (key) => key.grants.map(describeGrant).join('; ') },
];

function stateText(key: KeyRecord, now: number): string {
  if (key.revokedAt !== undefined) return `revoked ${timeText(key.revokedAt)}`;
  if (key.expiresAt !== undefined && key.expiresAt * 1_000 <= now) {
    return `expired ${timeText(key.expiresAt * 1_000)}`;
  }
  return expiryText(key);
}

function expiryText({ expiresAt }: { readonly expiresAt?: number }): string {
  return expiresAt === undefined ? 'never expires' : `expires ${timeText(expiresAt * 1_000)}`;
}
