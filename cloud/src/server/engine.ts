import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type DataFolder, DataFolderError, dataFolder, prepareDataFolder } from './data-folder.ts';
import { lockDataFolder } from './data-folder-lock.ts';
import { createEngineClient } from './engine-client.ts';
import type { Partitions } from './engine-message.ts';
import { type EngineThread, startEngineThread } from './engine-thread.ts';

/** Milliseconds before a thread that ended by itself is started again. */
const restartDelayMs = 1_000;

export interface EngineInit {
  readonly dataFolder: string;
  /** Whose engine it is: operators' commands look for a server's, never for one another's. */
  readonly owner: 'server' | 'command';
  readonly signal: AbortSignal;
  /** Called when the thread ended by itself and will be started again. */
  readonly onTrouble: (error: Error) => void;
}

/** The embedded DynamoDB engine: dynalite in a thread, kept in the data folder, reachable by its socket only. */
export interface Engine {
  /** A client whose writes are the server's own. Each caller owns its client and destroys it. */
  createClient(): DynamoDBClient;
  /** Calls back at each write of another process, before that process gets its answer. */
  onForeignWrite(callback: (partitions: Partitions) => void): void;
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
  readonly #init: EngineInit;
  readonly #unlock: () => Promise<void>;
  readonly #writer = randomUUID();
  readonly #stopping = new AbortController();
  readonly #callbacks: ((partitions: Partitions) => void)[] = [];
  #thread: EngineThread | undefined;
  #kept: Promise<void> = Promise.resolve();

  constructor(folder: DataFolder, init: EngineInit, unlock: () => Promise<void>) {
    this.#folder = folder;
    this.#init = init;
    this.#unlock = unlock;
  }

  get #socketPath(): string {
    const { serverSocket, commandSocket } = this.#folder;
    return this.#init.owner === 'server' ? serverSocket : commandSocket;
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
    this.#kept = this.#keepRunning();
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
    return startEngineThread(orders, (partitions) => {
      for (const callback of this.#callbacks) callback(partitions);
    });
  }

  /** Until `stop()`: a thread that ends by itself is followed by the next one. */
  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      const error = await this.#endOfThread();
      if (signal.aborted) return;
      this.#init.onTrouble(error);
      await wait(restartDelayMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Starts a thread where there is none, and waits for its end. */
  async #endOfThread(): Promise<Error> {
    try {
      this.#thread ??= await this.#startThread();
      if (this.#stopping.signal.aborted) await this.#thread.stop();
      return (await this.#thread.ended) ?? new Error('the engine ended');
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#thread = undefined;
    }
  }
}
