import { randomBytes } from 'node:crypto';
import type { Callers } from '../auth/callers.ts';
import type { Exchange, HttpAnswer } from '../http/exchange.ts';
import type { GrantedRequest } from '../pull/granted-request.ts';
import type { PullLater } from '../pull/pull-service.ts';
import type { UploadedBody } from '../pull/uploaded-body.ts';
import type { PullQueue } from '../queue/pull-queue.ts';
import { queueIds } from '../queue/queue-id.ts';
import type { QueueSettings } from '../queue/queue-settings.ts';
import type { PullRef } from '../queue/queued-pull.ts';
import type { FunctionQueueParts } from './compose-queue.ts';

export interface LazyQueueParts extends FunctionQueueParts {
  readonly callers: Callers;
  readonly settings: QueueSettings;
  /** Milliseconds that a reply may take. */
  readonly answerMs: number;
}

/** The queue of pulls, of no use to whoever waits for an answer: loaded with the first caller who does not. */
export class LazyQueue implements PullLater {
  readonly #parts: LazyQueueParts;
  #queue: Promise<PullQueue> | undefined;

  constructor(parts: LazyQueueParts) {
    this.#parts = parts;
  }

  async enqueue(request: GrantedRequest, upload: UploadedBody | undefined): Promise<void> {
    return (await this.#open()).enqueue(request, upload);
  }

  async show(exchange: Exchange, pull: PullRef): Promise<HttpAnswer> {
    return (await this.#open()).show(exchange, pull);
  }

  async result(exchange: Exchange, pull: PullRef): Promise<undefined> {
    return (await this.#open()).result(exchange, pull);
  }

  async cancel(exchange: Exchange, pull: PullRef): Promise<HttpAnswer> {
    return (await this.#open()).cancel(exchange, pull);
  }

  #open(): Promise<PullQueue> {
    this.#queue ??= this.#load();
    return this.#queue;
  }

  async #load(): Promise<PullQueue> {
    const { callers, answerMs, settings, store, clock, work } = this.#parts;
    const [{ FunctionQueue }, { PullQueue }] = await Promise.all([
      import('./compose-queue.ts'),
      import('../queue/pull-queue.ts'),
    ]);
    const { delivery, ends, large, log } = new FunctionQueue(this.#parts);
    return new PullQueue({
      ...{ callers, store, delivery, ends, large, clock, log, settings, answerMs },
      newId: queueIds({ wall: () => clock.wall(), random: randomBytes }),
      track: (running) => work.add(running),
    });
  }
}
