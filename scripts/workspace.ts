import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './command.ts';

/** What we read of a package.json. */
interface Manifest {
  workspaces?: string[];
  scripts?: Record<string, string>;
}

/** Reads a folder's package.json; the folder is relative to the root. */
async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8')) as Manifest;
}

/** The workspaces' folders, as the root package.json lists them, that have the given npm script. */
export async function workspacesWith(script: string): Promise<string[]> {
  const { workspaces = [] } = await readManifest('.');
  const manifests = await Promise.all(workspaces.map(readManifest));
  return workspaces.filter((_, index) => manifests[index]?.scripts?.[script] !== undefined);
}
