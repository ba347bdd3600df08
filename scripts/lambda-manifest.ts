import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './command.ts';

/** What terraform/relay.json says, as far as bundles need it. */
interface Manifest {
  readonly functions: Readonly<Record<string, unknown>>;
}

/** The names of the relay's Lambda functions, in order. */
export async function lambdaNames(): Promise<string[]> {
  const text = await readFile(join(ROOT, 'terraform/relay.json'), 'utf8');
  const { functions } = JSON.parse(text) as Manifest;
  return Object.keys(functions).sort();
}
