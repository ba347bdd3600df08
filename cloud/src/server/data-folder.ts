import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Raised with every change that an older pullwire would misread. */
const dataFolderVersion = 1;

/** Bytes of a Unix socket's path at most: `sun_path` is 108 on Linux and 104 on macOS, with a closing NUL. */
const socketPathLimit = 103;

export type DataFolderErrorCode =
  /** Others can read or write it, or it is not ours, or not a folder. */
  | 'not-private'
  /** A newer pullwire wrote it. */
  | 'newer-version'
  /** Another process works in it. */
  | 'in-use'
  /** Its path leaves no room for a socket. */
  | 'path-too-long'
  /** It cannot be created, read or written. */
  | 'unusable';

/** Messages are for people and say what to do. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
  readonly code: DataFolderErrorCode;

  constructor(code: DataFolderErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Where things are in a data folder. */
export interface DataFolder {
  readonly path: string;
  /** The engine's database. */
  readonly engine: string;
  /** Bodies of readings that are too large for the database. */
  readonly readings: string;
  /** Bodies of queued pulls that are too large for it. */
  readonly queue: string;
  /** The socket at which a server's engine answers. */
  readonly serverSocket: string;
  /** The socket of an engine that an operator's command runs while no server does. */
  readonly commandSocket: string;
  /** Held by whoever works in the folder. */
  readonly lock: string;
  readonly version: string;
}

export function dataFolder(path: string): DataFolder {
  const root = resolve(path);
  return {
    path: root,
    engine: join(root, 'engine'),
    readings: join(root, 'readings'),
    queue: join(root, 'queue'),
    serverSocket: join(root, 'engine.sock'),
    commandSocket: join(root, 'command.sock'),
    lock: join(root, 'lock'),
    version: join(root, 'version'),
  };
}

/**
 * Creates the folder (0700) where it is missing and checks that it is private and not a newer version's: the
 * engine in it checks no credentials, so whoever can reach its socket is the operator.
 */
export async function prepareDataFolder(folder: DataFolder): Promise<void> {
  if (Buffer.byteLength(folder.commandSocket) > socketPathLimit) {
    throw new DataFolderError(
      'path-too-long',
      `the path of the data folder ${folder.path} is too long for a Unix socket in it: choose a shorter one`,
    );
  }
  await usable(folder, async () => {
    await mkdir(folder.path, { recursive: true, mode: 0o700 });
    await checkPrivate(folder);
    await checkVersion(folder);
  });
}

async function usable(folder: DataFolder, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    if (cause instanceof DataFolderError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `the data folder ${folder.path} cannot be used: ${reason}`;
    throw new DataFolderError('unusable', message, cause);
  }
}

async function checkPrivate(folder: DataFolder): Promise<void> {
  const { uid, mode } = await stat(folder.path);
  if (uid !== process.getuid?.()) {
    throw new DataFolderError(
      'not-private',
      `the data folder ${folder.path} belongs to another user: choose one of your own`,
    );
  }
  const rights = mode & 0o777;
  if ((rights & 0o077) !== 0) {
    throw new DataFolderError(
      'not-private',
      `the data folder ${folder.path} is open to other users (mode ${rights.toString(8)}): run chmod 700 ${folder.path}`,
    );
  }
}

async function checkVersion(folder: DataFolder): Promise<void> {
  const text = await readFile(folder.version, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return writeVersion(folder);
  const version = /^[1-9]\d{0,8}\n?$/.test(text) ? Number(text) : undefined;
  if (version === undefined) {
    throw new DataFolderError('unusable', `${folder.version} does not hold a version number`);
  }
  if (version > dataFolderVersion) {
    throw new DataFolderError(
      'newer-version',
      `the data folder ${folder.path} has version ${version}, written by a newer pullwire; this one knows` +
        ` ${dataFolderVersion}: run the newer version`,
    );
  }
}

/** By way of a new file, so that a crash leaves either none or a whole one. */
async function writeVersion(folder: DataFolder): Promise<void> {
  const fresh = `${folder.version}.${process.pid}`;
  await writeFile(fresh, `${dataFolderVersion}\n`, { mode: 0o600 });
  await rename(fresh, folder.version);
}
