import { opendir } from 'node:fs/promises';
import { PullFault } from '@pullwire/shared';
import type { FileSourceConfig } from '../source/file-config.ts';
import { openBelow } from '../source/open-below.ts';
import type { Finding } from './check.ts';

/** Opens the folder as a pull does, and reads a first name of it. */
export async function fileFinding(config: FileSourceConfig): Promise<Omit<Finding, 'target'>> {
  try {
    const { handle, path } = await openBelow(config.root, []);
    try {
      for await (const _first of await opendir(path)) return readable('');
      return readable(', and empty');
    } finally {
      await handle.close();
    }
  } catch (error) {
    const cause = error instanceof PullFault ? error.cause : error;
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const details = `the folder cannot be read (${code})`;
    return { state: 'failed', details, advice: adviceFor(code, config.root) };
  }
}

const readable = (more: string): Omit<Finding, 'target'> => ({
  state: 'ok',
  details: `the folder is readable${more}`,
});

function adviceFor(code: string, root: string): string {
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return 'correct the root of this source, or mount what belongs there';
  return `let the agent's user read it and pass each folder on the way: namei -l ${root}`;
}
