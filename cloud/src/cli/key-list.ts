import type { KeyRecord } from '../registry/registry.ts';
import { eachItem } from '../registry/registry-pages.ts';
import type { CliContext, CommandOptions } from './cli-context.ts';
import { withRegistry } from './open-registry.ts';
import { type Column, printJson, printTable, timeText } from './output-list.ts';
import { describeGrant } from './parse-grant.ts';

/** `key list`. */
export async function listKeys(options: CommandOptions, context: CliContext): Promise<void> {
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
  { title: 'LAST USE', text: lastUse },
  { title: 'MAY PULL', text: (key) => key.grants.map(describeGrant).join('; ') },
];

function lastUse({ lastUsedAt }: KeyRecord): string {
  return lastUsedAt === undefined ? 'never' : timeText(lastUsedAt);
}

function stateText(key: KeyRecord, now: number): string {
  if (key.revokedAt !== undefined) return `revoked ${timeText(key.revokedAt)}`;
  if (key.expiresAt !== undefined && key.expiresAt * 1_000 <= now) {
    return `expired ${timeText(key.expiresAt * 1_000)}`;
  }
  return expiryText(key);
}

/** When a key that is in force ends. */
export function expiryText({ expiresAt }: { readonly expiresAt?: number }): string {
  return expiresAt === undefined ? 'never expires' : `expires ${timeText(expiresAt * 1_000)}`;
}
