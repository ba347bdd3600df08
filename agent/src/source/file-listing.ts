import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { PullFault } from '@pullwire/shared';
import type { AllowList } from '../policy/allow-list.ts';
import { isReachableName } from '../policy/path-rule.ts';

export interface ListedEntry {
  readonly name: string;
  readonly type: 'file' | 'folder';
  /** Bytes; of files only. */
  readonly size?: number;
  /** RFC 3339. */
  readonly modified: string;
}

const maxEntries = 10_000;

/**
 * What is in a folder, by name, as far as a pull could ask for it: allowed files, and folders that are allowed or lead to
 * something that is. Links, devices and names that no path can spell are left out. `path` leads to the folder, `names`
 * is where it is below the root. Throws `PullFault` where there is too much of it, and system errors.
 */
export async function listFolder(
  path: string,
  names: readonly string[],
  asked: Asked,
): Promise<readonly ListedEntry[]> {
  const entries: ListedEntry[] = [];
  for await (const { name } of await opendir(path)) {
    const entry = isReachableName(name) ? await describe(join(path, name), name) : undefined;
    if (entry === undefined || !isOffered(entry, [...names, name], asked)) continue;
    if (entries.length === maxEntries) {
      const detail = `the folder has more than ${maxEntries} entries and is not listed`;
      throw new PullFault('reply-too-large', 'upstream', { detail });
    }
    entries.push(entry);
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function describe(path: string, name: string): Promise<ListedEntry | undefined> {
  // Gone since, or its name is not UTF-8 and cannot be asked for.
  const stat = await lstat(path).catch(() => undefined);
  const modified = stat?.mtime.toISOString() ?? '';
  if (stat?.isDirectory()) return { name, type: 'folder', modified };
  if (stat?.isFile()) return { name, type: 'file', size: stat.size, modified };
  return undefined;
}

/** What may be asked, and by whom. */
interface Asked {
  readonly allow: AllowList;
  readonly caller: string;
}

function isOffered(
  entry: ListedEntry,
  names: readonly string[],
  { allow, caller }: Asked,
): boolean {
  if (allow.allows('GET', names, caller)) return true;
  if (entry.type === 'file') return false;
  return allow.allows('GET', [...names, ''], caller) || allow.leadsBelow('GET', names, caller);
}
