import { Worker } from 'node:worker_threads';
import type { SpoolAnswer, SpoolOrders, SpoolResults, SpoolWork } from './spool-message.ts';
import type { SpoolTrouble } from './spool-trouble.ts';

/** Beside this file as source; in the bundle, which is one file, the program itself (main.ts). */
const workerUrl = import.meta.url.endsWith('.ts')
  ? new URL('./spool-worker.ts', import.meta.url)
  : new URL(import.meta.url);

/** A reading of 8 MiB and a batch of small ones; SQLite's own memory is not counted here. */
const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };

/** Work that was not done; it may be given again. */
export class SpoolWorkError extends Error {
  override readonly name = 'SpoolWorkError';
  readonly trouble: SpoolTrouble;

  constructor(trouble: SpoolTrouble) {
    super(trouble.text);
    this.trouble = trouble;
  }
}

export interface SpoolThreadHooks {
  damaged(trouble: SpoolTrouble, movedTo: string): void;
}

interface Waiting {
  resolve(result: SpoolResults[SpoolWork['kind']]): void;
  reject(error: SpoolWorkError): void;
}

/** The thread with the spool's file; one that ended is begun anew with the next work. */
export class SpoolThread {
  readonly #orders: SpoolOrders;
  readonly #hooks: SpoolThreadHooks;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;

  constructor(orders: SpoolOrders, hooks: SpoolThreadHooks) {
    this.#orders = orders;
    this.#hooks = hooks;
  }

  /** Rejects with `SpoolWorkError`. */
  do<W extends SpoolWork>(work: W): Promise<SpoolResults[W['kind']]> {
    this.#lastId += 1;
    const id = this.#lastId;
    const worker = this.#running();
    return new Promise((resolve, reject) => {
      // The thread answers each kind of work with its own kind of result.
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      worker.postMessage({ id, work });
    });
  }

  /** Closes the file and ends the thread. */
  async stop(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    await this.do({ kind: 'close' }).catch(() => worker.terminate());
    await ended;
  }

  #running(): Worker {
    this.#worker ??= this.#start();
    return this.#worker;
  }

  #start(): Worker {
    const worker = new Worker(workerUrl, {
      workerData: this.#orders,
      execArgv: [],
      resourceLimits,
    });
    let why = 'its thread ended';
    worker.on('message', (answer: SpoolAnswer) => this.#answered(answer));
    worker.on('error', (error) => {
      why = error instanceof Error ? error.message : String(error);
    });
    worker.once('exit', () => {
      this.#worker = undefined;
      this.#lost({ kind: 'unusable', text: `${this.#orders.path}: ${why}` });
    });
    return worker;
  }

  #answered(answer: SpoolAnswer): void {
    if ('damaged' in answer) return this.#hooks.damaged(answer.damaged, answer.movedTo);
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('trouble' in answer) waiting?.reject(new SpoolWorkError(answer.trouble));
    else waiting?.resolve(answer.result);
  }

  #lost(trouble: SpoolTrouble): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(new SpoolWorkError(trouble));
  }
}
