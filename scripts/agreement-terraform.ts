import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './command.ts';

/** The module's files as text, without comments, by name: `iam.tf`. As `terraform fmt` writes them. */
export type TerraformFiles = Readonly<Record<string, string>>;

export async function readTerraform(): Promise<Record<string, string>> {
  const folder = join(ROOT, 'terraform');
  const files: Record<string, string> = {};
  for await (const name of glob('*.tf', { cwd: folder })) {
    const text = await readFile(join(folder, name), 'utf8');
    files[name] = text.replaceAll(/(^|\s)#.*$/gm, '');
  }
  return files;
}

/** The whole module as one text. */
export const wholeText = (files: TerraformFiles): string => Object.values(files).join('\n');

/** What stands between the braces of `local.<name> = { … }`; empty where there is no such map. */
export function localMap(files: TerraformFiles, name: string): string {
  const pattern = new RegExp(`^  ${name}\\s*=\\s*\\{\\n([\\s\\S]*?)^  \\}$`, 'm');
  return pattern.exec(wholeText(files))?.[1] ?? '';
}

/** A map of lists of texts: `table_actions`. */
export function localLists(files: TerraformFiles, name: string): Map<string, string[]> {
  const lines = localMap(files, name).matchAll(/^ {4}(\w+)\s*=\s*\[([^\]]*)\]$/gm);
  return new Map([...lines].map(([, key = '', list = '']) => [key, textsIn(list)]));
}

/** A list of texts: `index_readers`. */
export function localList(files: TerraformFiles, name: string): string[] {
  const pattern = new RegExp(`^  ${name}\\s*=\\s*\\[([^\\]]*)\\]$`, 'm');
  return textsIn(pattern.exec(wholeText(files))?.[1] ?? '');
}

/** What a resource's argument is set to, as it is written; undefined where it has none. The first, where there are more. */
export function argument(files: TerraformFiles, address: string, name: string): string | undefined {
  const [type, label] = address.split('.');
  const block = new RegExp(`^resource "${type}" "${label}" \\{\\n([\\s\\S]*?)^\\}$`, 'm');
  const body = block.exec(wholeText(files))?.[1] ?? '';
  return new RegExp(`^\\s*${name}\\s*=\\s*(.+)$`, 'm').exec(body)?.[1]?.trim();
}

/** The paths below `local.manifest` that the module names: `table.listIndex.name`. */
export function manifestPaths(files: TerraformFiles): string[] {
  const found = wholeText(files).matchAll(/local\.manifest((?:\.\w+)+)/g);
  return [...new Set([...found].map(([, path = '']) => path.slice(1)))].sort();
}

const textsIn = (list: string): string[] =>
  [...list.matchAll(/"([^"]*)"/g)].map(([, text = '']) => text);
