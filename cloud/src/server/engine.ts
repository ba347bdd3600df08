import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type DataFolder, DataFolderError, dataFolder, prepareDataFolder } from './data-folder.ts';
import { lockDataFolder } from './data-folder-lock.ts';
import { createEngineClient } from './engine-client.ts';
import { EngineFiles } from './engine-files.ts';
import type { Partitions } from './engine-message.ts';
import { type EngineThread, startEngineThread } from './engine-thread.ts';

/** Milliseconds before a thread that ended by itself is started again. */
const restartDelayMs = 1_000;

/** How often to look whether the database's folder is still there (milliseconds). */
const filesLookMs = 1_000;

export interface EngineInit {
  readonly dataFolder: string;
  /** Whose engine it is: operators' commands look for a server's, never for one another's. */
  readonly owner: 'server' | 'command';
  readonly signal: AbortSignal;
  /** Called once for each trouble in which the engine cannot write, or not even read; it goes on trying. */
  readonly onTrouble: (error: Error) => void;
  /** Called when the trouble is over. */
  readonly onRecovered?: () => void;
}

/** The embedded DynamoDB engine: dynalite in a thread, kept in the data folder, reachable by its socket only. */
export interface Engine {
  /** A client whose writes are the server's own. Each caller owns its client and destroys it. */
  createClient(): DynamoDBClient;
  /** Calls back at each write of another process, before that process gets its answer. */
  onForeignWrite(callback: (partitions: Partitions) => void): void;
  /** What keeps it from working now. */
  readonly trouble: Error | undefined;
  /** Closes the database and gives the data folder back. */
  stop(): Promise<void>;
}

/**
 * Takes the data folder and starts the engine in it. Throws a `DataFolderError`: the folder is not private, in use,
 * or a newer version's, or its database cannot be opened.
 */
export async function startEngine(init: EngineInit): Promise<Engine> {
  const folder = dataFolder(init.dataFolder);
  init.signal.throwIfAborted();
  await prepareDataFolder(folder);
  const unlock = await lockDataFolder(folder);
  const engine = new EmbeddedEngine(folder, init, unlock);
  try {
    await engine.start();
    init.signal.throwIfAborted();
    return engine;
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

class EmbeddedEngine implements Engine {
  readonly #folder: DataFolder;
  readonly #files: EngineFiles;
  readonly #init: EngineInit;
  readonly #unlock: () => Promise<void>;
  readonly #writer = randomUUID();
  readonly #stopping = new AbortController();
  readonly #callbacks: ((partitions: Partitions) => void)[] = [];
  #thread: EngineThread | undefined;
  #kept: Promise<unknown> = Promise.resolve();
  #trouble: Error | undefined;

  constructor(folder: DataFolder, init: EngineInit, unlock: () => Promise<void>) {
    this.#folder = folder;
    this.#files = new EngineFiles(folder.engine);
    this.#init = init;
    this.#unlock = unlock;
  }

  get #socketPath(): string {
    const { serverSocket, commandSocket } = this.#folder;
    return this.#init.owner === 'server' ? serverSocket : commandSocket;
  }

  get trouble(): Error | undefined {
    return this.#trouble;
  }

  createClient(): DynamoDBClient {
    return createEngineClient(this.#socketPath, this.#writer);
  }

  onForeignWrite(callback: (partitions: Partitions) => void): void {
    this.#callbacks.push(callback);
  }

  async start(): Promise<void> {
    this.#thread = await this.#startThread().catch((cause: unknown) => {
      const message = `the database in ${this.#folder.engine} cannot be opened`;
      throw new DataFolderError('unusable', message, cause);
    });
    await this.#files.remember();
    this.#kept = Promise.all([this.#keepRunning(), this.#watchFiles()]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#thread?.stop();
    await this.#kept;
    await this.#unlock();
  }

  #startThread(): Promise<EngineThread> {
    const orders = {
      path: this.#folder.engine,
      socketPath: this.#socketPath,
      ownWriter: this.#writer,
    };
    return startEngineThread(orders, {
      foreignWrite: (partitions) => this.#changed(partitions),
      unwritable: (why) => this.#inTrouble(new Error(why)),
    });
  }

  #changed(partitions: Partitions): void {
    for (const callback of this.#callbacks) callback(partitions);
  }

  /** Until `stop()`: a thread that ends by itself is followed by the next one. */
  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      const error = await this.#endOfThread();
      if (signal.aborted) return;
      // One that could not write any more has ended because it can again.
      if (this.#trouble === undefined || !(error instanceof ThreadEnded)) this.#inTrouble(error);
      await wait(restartDelayMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Starts a thread where there is none, and waits for its end. */
  async #endOfThread(): Promise<Error> {
    try {
      if (this.#thread === undefined) {
        await this.#checkFiles();
        this.#thread = await this.#startThread();
        this.#recovered();
      }
      if (this.#stopping.signal.aborted) await this.#thread.stop();
      return (await this.#thread.ended) ?? new ThreadEnded('the engine ended');
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#thread = undefined;
    }
  }

  /** Where the files are gone, an engine that went on would write into nothing, and a new one would know nothing. */
  async #watchFiles(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await wait(filesLookMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted || this.#thread === undefined) continue;
      try {
        await this.#checkFiles();
      } catch (error) {
        this.#inTrouble(error as Error);
        await this.#thread?.kill();
      }
    }
  }

  /** Rejects where the database is not the one that this process opened. */
  async #checkFiles(): Promise<void> {
    if (await this.#files.areThere()) return;
    throw new Error(
      `the registry's files in ${this.#folder.engine} are gone: links that are open go on, and nobody else is let in;` +
        ' put the same folder back, or restore one and restart the relay',
    );
  }

  #inTrouble(error: Error): void {
    const known = this.#trouble?.message === error.message;
    this.#trouble = error;
    if (!known) this.#init.onTrouble(error);
  }

  /** A write that was under way when the last thread ended may stand, and nobody was told of it. */
  #recovered(): void {
    this.#trouble = undefined;
    this.#changed(undefined);
    this.#init.onRecovered?.();
  }
}

/** The thread ended, and not by an error. */
class ThreadEnded extends Error {
  override readonly name = 'ThreadEnded';
}
