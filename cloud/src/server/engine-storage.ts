import { statfsSync } from 'node:fs';

/** Bytes that must be free before the database is opened anew: LevelDB then writes up to 4 MiB of what it has, twice. */
const enoughBytes = 8 * 1_048_576;

/** How often to look whether there is room again (milliseconds). */
const lookMs = 1_000;

/** Whether LevelDB could not read or write its files: nothing that the request was to blame for. */
export function isStorageError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'LEVEL_IO_ERROR';
}

/** Whether there is no room left on the disk; LevelDB gives the system's words, not its code. */
export function isDiskFull(error: Error): boolean {
  return /No space left on device/i.test(error.message);
}

/** For people: what has happened to the database in `path`, and what to do. */
export function storageWords(path: string, error: Error): string {
  return isDiskFull(error)
    ? `the disk of ${path} is full: free at least ${enoughBytes / 1_048_576} MiB there; the registry` +
        ' is read on, and written again by itself as soon as there is room'
    : `the files in ${path} cannot be read or written (${error.message})`;
}

/** Calls back once, when there is room again in `path`. */
export function whenRoom(path: string, run: () => void): void {
  const timer = setInterval(() => {
    if (freeBytes(path) < enoughBytes) return;
    clearInterval(timer);
    run();
  }, lookMs);
}

/** What a process that is not root's may still write; 0 where nobody can tell. */
function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
