import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeConfig as describeAgent } from '../../agent/src/config/config-setting.ts';
import { describeConfig as describeRelay } from '../../cloud/src/config/config-setting.ts';
import { ROOT } from '../command.ts';
import type { Check } from './check.ts';

interface Setting {
  readonly key: string;
  readonly env: string | undefined;
  readonly flag: string | undefined;
  readonly default: unknown;
  readonly doc: string;
}

/** A table of settings between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. */
const REFERENCES: Readonly<Record<string, () => readonly Setting[]>> = {
  'agent-config': describeAgent,
  'relay-config': describeRelay,
};

/** README's configuration reference says what `--help` says: both are made from the same descriptions. */
export const readmeCheck: Check = {
  name: 'README agrees with --help',
  advice: 'run `npm run readme`',
  run: async () => {
    const text = await readFile(join(ROOT, 'README.md'), 'utf8');
    return withReferences(text) === text ? '' : 'the configuration reference is out of date';
  },
};

/** Puts the reference as it is now into README.md. */
export async function writeReadme(): Promise<void> {
  const file = join(ROOT, 'README.md');
  await writeFile(file, withReferences(await readFile(file, 'utf8')));
}

/** Throws where a marker is missing. */
export function withReferences(text: string): string {
  let result = text;
  for (const [name, describe] of Object.entries(REFERENCES)) {
    const [begin, end] = [`<!-- ${name}:begin -->\n`, `<!-- ${name}:end -->`];
    const from = result.indexOf(begin);
    const to = result.indexOf(end);
    if (from === -1 || to < from) throw new Error(`README.md has no ${begin.trim()} … ${end}`);
    result = result.slice(0, from + begin.length) + table(describe()) + result.slice(to);
  }
  return result;
}

function table(settings: readonly Setting[]): string {
  const rows = settings.map(({ key, env, flag, default: value, doc }) => {
    const ways = [env, flag].filter((way) => way !== undefined).map((way) => `\`${way}\``);
    return `| \`${key}\` | ${ways.join(' ')} | ${shown(value)} | ${doc.replaceAll('|', '\\|')} |`;
  });
  return ['| key | also by | default | |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
