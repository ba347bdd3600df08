import type { Grant, KeyRecord, Registry } from '../registry/registry.ts';
import { eachItem } from '../registry/registry-pages.ts';
import type { CliContext, CommandOptions } from './cli-context.ts';
import { grantOf, keyId } from './key-option.ts';
import { withRegistry } from './open-registry.ts';
import { describeGrant } from './parse-grant.ts';

/** Several operators may change one key at once: each of them sees what the others wrote, and adds to it. */
const tries = 5;

/** Grants are read with every key, and compared with every pull: a key needs few. */
const mostGrants = 64;

/** `key grant`: the key may pull this too, from now on. */
export async function grantKey(
  text: string,
  options: CommandOptions,
  context: CliContext,
): Promise<void> {
  const id = keyId(text);
  const grant = grantOf(options, context.clock.wall());
  await withRegistry(options, context, async (registry) => {
    await addGrant(registry, id, grant);
    context.note(`key ${id} may also: ${describeGrant(grant)}\n`);
  });
}

async function addGrant(
  registry: Pick<Registry, 'keys' | 'changeGrants'>,
  id: string,
  grant: Grant,
): Promise<void> {
  for (let n = 0; n < tries; n += 1) {
    const key = await findKey(registry, id);
    if (key === undefined || key.revokedAt !== undefined) {
      throw new Error(`there is no key ${id} in force`);
    }
    if (key.grants.length >= mostGrants) throw new Error(`key ${id} has ${mostGrants} grants`);
    if (await registry.changeGrants(id, key.grants, [...key.grants, grant])) return;
  }
  throw new Error(
    `the grants of key ${id} cannot be changed: has it expired, or is it being changed?`,
  );
}

/** By the list: a key is kept under its hash, which an operator does not have. */
async function findKey(
  registry: Pick<Registry, 'keys'>,
  id: string,
): Promise<KeyRecord | undefined> {
  const keys = eachItem((after) => registry.keys({ limit: 100, ...(after ? { after } : {}) }));
  for await (const key of keys) if (key.id === id) return key;
  return undefined;
}
