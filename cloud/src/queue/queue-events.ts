import type { Logger } from 'pino';
import { type PullEnd, type QueuedPull, type QueuedState, queuedStates } from './queued-pull.ts';

/** How many pulls came to each state, as this process saw it: a pull that goes back to the queue is counted again. */
export type QueueCounters = Record<QueuedState, number>;

/** A line for each step of a queued pull, and the counts of them. */
export class QueueLog {
  readonly #log: Logger;
  readonly counters: QueueCounters;

  constructor(log: Logger) {
    this.#log = log;
    this.counters = Object.fromEntries(queuedStates.map((state) => [state, 0])) as QueueCounters;
  }

  queued(pull: QueuedPull): void {
    this.counters.queued += 1;
    this.#log.info(linesOf(pull), 'pull queued');
  }

  /** `sentAs`: the pull id that it has at the agent. */
  sent(pull: QueuedPull, sentAs: string): void {
    this.counters.sent += 1;
    this.#log.info({ ...linesOf(pull), pullId: sentAs }, 'queued pull sent');
  }

  ended(pull: QueuedPull, { state, reply, fault }: PullEnd): void {
    this.counters[state] += 1;
    const { code, stage, detail } = fault ?? {};
    const ended = { state, ...reply, code, stage, detail, pullId: pull.sending?.sentAs };
    this.#log.info({ ...linesOf(pull), ...ended }, 'queued pull ended');
  }

  /** A body that is of no use any more could not be removed; the sweep does it when its time is over. */
  bodyStays(key: string, err: unknown): void {
    this.#log.warn({ err, key }, 'a body of a queued pull could not be removed');
  }

  /** A step that could not be taken now; the next look at the pull takes it. */
  failed(err: unknown, device: string): void {
    this.#log.warn({ err, device }, 'queued pulls cannot be looked after now');
  }
}

function linesOf({ id, caller, device, source, method, path }: QueuedPull) {
  return { queuedPull: id, caller, device, source, method, path };
}
