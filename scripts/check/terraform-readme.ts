import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../command.ts';
import type { Check } from './check.ts';

const FOLDER = join(ROOT, 'terraform');

/** The files that declare the module's inputs and outputs. */
export interface ModuleFiles {
  variables: string;
  outputs: string;
}

/** terraform/README.md says what variables.tf and outputs.tf say. */
export const terraformReadmeCheck: Check = {
  name: 'terraform/README agrees with the module',
  advice: 'run `npm run readme`',
  run: async () => {
    const text = await readFile(join(FOLDER, 'README.md'), 'utf8');
    return withTables(text, await moduleFiles()) === text
      ? ''
      : 'inputs or outputs are out of date';
  },
};

/** Puts inputs and outputs as they are now into terraform/README.md. */
export async function writeTerraformReadme(): Promise<void> {
  const file = join(FOLDER, 'README.md');
  await writeFile(file, withTables(await readFile(file, 'utf8'), await moduleFiles()));
}

async function moduleFiles(): Promise<ModuleFiles> {
  const [variables, outputs] = await Promise.all(
    ['variables.tf', 'outputs.tf'].map((name) => readFile(join(FOLDER, name), 'utf8')),
  );
  return { variables: variables ?? '', outputs: outputs ?? '' };
}

/** Throws where a marker, or an input's or output's description or type, is missing. */
export function withTables(text: string, { variables, outputs }: ModuleFiles): string {
  const inputs = blocks(variables, 'variable').map(({ name, body }) => [
    `\`${name}\``,
    `\`${argument(name, body, 'type')}\``,
    shownDefault(body),
    description(name, body),
  ]);
  const results = blocks(outputs, 'output').map(({ name, body }) => [
    `\`${name}\``,
    description(name, body),
  ]);
  const filled = between(text, 'inputs', table(['name', 'type', 'default', ''], inputs));
  return between(filled, 'outputs', table(['name', ''], results));
}

interface Block {
  name: string;
  body: string;
}

/** Top-level blocks, as `terraform fmt` writes them: the closing brace is the first one at a line's beginning. */
function blocks(text: string, kind: string): Block[] {
  const pattern = new RegExp(`^${kind} "(.+)" \\{\\n([\\s\\S]*?)^\\}$`, 'gm');
  return [...text.matchAll(pattern)].map(([, name = '', body = '']) => ({ name, body }));
}

/** An argument of a block, over as many lines as it has, on one; undefined where there is none. */
function find(body: string, name: string): string | undefined {
  const pattern = new RegExp(`^  ${name} += (.*(?:\\n(?: {4}.*| {2}[})\\]]+))*)`, 'm');
  return pattern
    .exec(body)?.[1]
    ?.replace(/\{\n\s+/g, '{ ')
    .replace(/\n\s+\}/g, ' }')
    .replace(/\s*\n\s+/g, ', ')
    .replace(/ +/g, ' ');
}

function argument(block: string, body: string, name: string): string {
  const value = find(body, name);
  if (value === undefined) throw new Error(`terraform: ${block} has no ${name}`);
  return value;
}

function description(block: string, body: string): string {
  const text = JSON.parse(argument(block, body, 'description')) as string;
  return text.replaceAll('|', '\\|');
}

function shownDefault(body: string): string {
  const value = find(body, 'default');
  if (value === undefined) return 'required';
  return value === 'null' ? '' : `\`${value}\``;
}

function table(head: readonly string[], rows: readonly string[][]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

function between(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->\n`, `<!-- ${name}:end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) {
    throw new Error(`terraform/README.md has no ${begin.trim()} … ${end}`);
  }
  return text.slice(0, from + begin.length) + content + text.slice(to);
}
