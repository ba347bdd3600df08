import { ClassicLevel } from 'classic-level';
import { type DataFolder, DataFolderError } from './data-folder.ts';

/**
 * Takes the folder for this process. An empty LevelDB stands for the lock: Node has no file locks, LevelDB takes
 * one (fcntl) that the kernel frees when the process dies, however it dies.
 * Throws `in-use` where another process has it. Returns what gives it back.
 */
export async function lockDataFolder(folder: DataFolder): Promise<() => Promise<void>> {
  const lock = new ClassicLevel(folder.lock);
  try {
    await lock.open();
  } catch (cause) {
    throw isLocked(cause)
      ? new DataFolderError(
          'in-use',
          `another process works in the data folder ${folder.path}`,
          cause,
        )
      : new DataFolderError('unusable', `the lock ${folder.lock} cannot be taken`, cause);
  }
  return () => lock.close();
}

/** The open error wraps LevelDB's own. */
function isLocked(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED';
}
