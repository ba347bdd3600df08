import { access } from 'node:fs/promises';

/** Whether something is there. What cannot be looked at counts as there: whoever uses it finds out why. */
export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}
