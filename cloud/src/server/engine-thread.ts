import { Worker } from 'node:worker_threads';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { createEngineClient } from './engine-client.ts';
import type { EngineMessage, EngineOrders, Partitions, ServerMessage } from './engine-message.ts';

/** Beside this file as source, beside the bundle as its second output. */
const workerUrl = new URL(
  import.meta.url.endsWith('.ts') ? './engine-worker.ts' : './pullwire-engine.mjs',
  import.meta.url,
);

/** The engine handles a few small items a second; its heap must not grow as if it were the process's own. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

/** One run of the engine's thread. */
export interface EngineThread {
  /** When the thread has ended, with the error that ended it. */
  readonly ended: Promise<Error | undefined>;
  /** Closes the database. */
  stop(): Promise<void>;
  /** Ends it as it is, its socket left where it is. */
  kill(): Promise<void>;
}

export interface EngineThreadEvents {
  /** Has run before the other process gets its answer. */
  foreignWrite(partitions: Partitions): void;
  /** Nothing is written any more until the thread has ended, which it does when it can be started again. */
  unwritable(why: string): void;
}

/** Starts the thread and waits until the engine answers. Rejects where the database cannot be opened. */
export async function startEngineThread(
  orders: EngineOrders,
  events: EngineThreadEvents,
): Promise<EngineThread> {
  const worker = new Worker(workerUrl, { workerData: orders, execArgv: [], resourceLimits });
  const tell = (message: ServerMessage) => worker.postMessage(message);
  const ended = endOf(worker);
  const listening = new Promise<void>((resolve) => {
    worker.on('message', (message: EngineMessage) => {
      if (message.kind === 'listening') return resolve();
      if (message.kind === 'unwritable') return events.unwritable(message.why);
      events.foreignWrite(message.partitions);
      tell({ kind: 'seen', id: message.id });
    });
  });
  try {
    await Promise.race([listening.then(() => answers(orders.socketPath)), failed(ended)]);
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  return {
    ended,
    stop: async () => {
      tell({ kind: 'stop' });
      await ended;
    },
    kill: async () => {
      await worker.terminate();
    },
  };
}

function endOf(worker: Worker): Promise<Error | undefined> {
  let error: Error | undefined;
  worker.on('error', (cause) => {
    error = cause instanceof Error ? cause : new Error(String(cause));
  });
  return new Promise((resolve) => worker.once('exit', () => resolve(error)));
}

async function failed(ended: Promise<Error | undefined>): Promise<never> {
  throw (await ended) ?? new Error('the engine ended');
}

/** The database opens in the background: only an answer proves that it did. */
async function answers(socketPath: string): Promise<void> {
  const client = createEngineClient(socketPath);
  await client.send(new ListTablesCommand({ Limit: 1 })).finally(() => client.destroy());
}
