import { existsSync } from 'node:fs';
import { constants, type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { PullFault } from '@pullwire/shared';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
const folderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
/** A FIFO would block without `O_NONBLOCK`, and a terminal become ours without `O_NOCTTY`. */
const lastFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

/** An open file or folder, and a path that leads to just this one while it is open. */
export interface OpenedEntry {
  readonly handle: FileHandle;
  readonly path: string;
}

/** It is neither a file nor a folder, or is not what it was a moment ago. Answered as if it was not there. */
export class NotServedError extends Error {
  override readonly name = 'NotServedError';
}

/**
 * Opens what `names` lead to below `root`, following no symbolic link on the way; the root itself may be one. Each
 * folder is opened and the next name looked up in it, by `/proc/self/fd`, as `openat` does (open(2)): what is renamed
 * or linked elsewhere in the meantime cannot lead out. Without `/proc` (macOS) the names are looked up by path, and what
 * was opened is compared with what the path leads to afterwards. Throws `NotServedError`, system errors, and `PullFault`
 * where there is no root.
 */
export async function openBelow(
  root: string,
  names: readonly string[],
  hasProc = existsSync('/proc/self/fd'),
): Promise<OpenedEntry> {
  let handle = await openRoot(root);
  let path = hasProc ? `/proc/self/fd/${handle.fd}` : await realpath(root);
  const realRoot = path;
  try {
    for (let i = 0; i < names.length; i += 1) {
      const next = join(path, names[i] as string);
      const opened = await openNext(next, i === names.length - 1);
      await handle.close();
      handle = opened;
      path = hasProc ? `/proc/self/fd/${handle.fd}` : next;
    }
    if (!hasProc) await confirm(handle, path, join(realRoot, ...names));
    return { handle, path };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openRoot(root: string): Promise<FileHandle> {
  try {
    return await open(root, O_RDONLY | O_DIRECTORY);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const detail = `the folder of the source cannot be opened (${code}): see its root`;
    throw new PullFault('source-failed', 'upstream', { detail, cause });
  }
}

/** Looks before it opens: opening a FIFO wakes its writer, and some devices act on it. */
async function openNext(path: string, isLast: boolean): Promise<FileHandle> {
  if (!isLast) return open(path, folderFlags);
  const stat = await lstat(path);
  if (!stat.isFile() && !stat.isDirectory()) throw new NotServedError('neither file nor folder');
  return open(path, lastFlags);
}

async function confirm(handle: FileHandle, path: string, expected: string): Promise<void> {
  const [real, seen, opened] = await Promise.all([realpath(path), lstat(path), handle.stat()]);
  if (real !== expected || seen.dev !== opened.dev || seen.ino !== opened.ino) {
    throw new NotServedError('moved while it was opened');
  }
}
