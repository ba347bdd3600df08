import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './command.ts';

/** What a method of the registry asks DynamoDB for: names of IAM actions, and whether it reads the list's index. */
export interface TableUse {
  readonly actions: readonly string[];
  readonly readsIndex: boolean;
}

/**
 * What each method of a class that works with the table asks for, told from the code that it can reach; by the name that
 * instances of it have in the code: `registry.addDevice`. `name`: of a folder of `cloud/src`.
 *
 * @throws Error where the class is no longer written as one call a method.
 */
export async function tableUses(
  name: string,
  classFile: string,
  called: string,
): Promise<Map<string, TableUse>> {
  const folder = join(ROOT, 'cloud/src', name);
  const text = await readFile(join(folder, classFile), 'utf8');
  const files = importedFrom(text);
  const methods = [
    ...text.matchAll(/^ {2}(?!constructor)(\w+)\([\s\S]*?^ {4}return (\w+)\(this\.#table/gm),
  ];
  const declared = [...text.matchAll(/^ {2}(?!constructor)\w+\(/gm)];
  if (methods.length === 0 || methods.length !== declared.length) {
    throw new Error(`${classFile}: not each method returns one call with this.#table`);
  }
  const uses = methods.map(async ([, method = '', name = '']): Promise<[string, TableUse]> => {
    const file = files.get(name);
    if (file === undefined) throw new Error(`${classFile} imports no ${name}`);
    return [`${called}.${method}`, await useOf(folder, name, file)];
  });
  return new Map(await Promise.all(uses));
}

function importedFrom(text: string): Map<string, string> {
  const imports = text.matchAll(/^import \{([^}]+)\} from '\.\/(dynamo-[\w-]+\.ts)';/gm);
  return new Map(
    [...imports].flatMap(([, names = '', file = '']) =>
      names.split(',').map((name): [string, string] => [name.trim(), file]),
    ),
  );
}

/** Builds the one function: what it cannot reach falls away, and the commands that are left are those that it sends. */
async function useOf(folder: string, name: string, file: string): Promise<TableUse> {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${name} } from './${file}';`, resolveDir: folder },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    external: ['@aws-sdk/*'],
    logLevel: 'silent',
  });
  const text = outputFiles[0]?.text ?? '';
  const commands = [...text.matchAll(/new (\w+)Command\d*\(/g)].map(([, command = '']) => command);
  const indexReads = text.match(/\bIndexName:/g)?.length ?? 0;
  const queries = commands.filter((command) => command === 'Query').length;
  // Every query names the index, or is one of the table.
  const actions = commands.filter((command) => command !== 'Query' || queries > indexReads);
  return { actions: [...new Set(actions)].sort(), readsIndex: indexReads > 0 };
}
