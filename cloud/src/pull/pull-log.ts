import { infoLines } from '@pullwire/shared/process-log';
import type { Logger } from 'pino';
import type { StoredAnswerGiven } from '../offline/stored-answer-given.ts';
import type { PullOutcome } from './pull-outcome.ts';
import type { PullRefusal } from './pull-service.ts';
import { PullTally } from './pull-tally.ts';

export interface PullCounters {
  done: number;
  failed: number;
  /** First tries after which another link was tried: those pulls count as done or failed by their second. */
  retried: number;
  refused: number;
  /** Stored answers that went out, in place of a pull or after one that failed. */
  stored: number;
}

/** One line a pull, two for one that was tried twice, and the counts of them. */
export class PullLog {
  readonly #log: Logger;
  readonly #write: (fields: object) => void;
  readonly counters: PullCounters = { done: 0, failed: 0, retried: 0, refused: 0, stored: 0 };
  readonly tally = new PullTally();

  constructor(log: Logger) {
    this.#log = log;
    this.#write = infoLines(log, 'pull');
  }

  readonly ended = (outcome: PullOutcome): void => {
    const { pull, device, instance, status, code, stage, detail, bytes, retriedAs } = outcome;
    if (retriedAs !== undefined) this.counters.retried += 1;
    else if (code === undefined) this.counters.done += 1;
    else this.counters.failed += 1;
    if (retriedAs === undefined) this.tally.count(outcome);
    const ms = Math.round(outcome.ms * 1_000) / 1_000;
    const { pullId, caller, source, method, path } = pull;
    this.#write({
      pullId,
      caller,
      device,
      instance,
      source,
      method,
      path,
      status,
      code,
      stage,
      detail,
      bytes,
      ms,
      retriedAs,
    });
  };

  readonly refused = (refusal: PullRefusal): void => {
    this.counters.refused += 1;
    const { method, device, source, fault } = refusal;
    const { code, stage, message: detail } = fault;
    this.tally.count({ code, stage, bytes: 0, ms: undefined });
    const line = { method, device, source, status: fault.status, code, stage, detail };
    if (code === 'relay-error') this.#log.error({ ...line, err: fault.cause }, 'pull refused');
    else this.#log.info(line, 'pull refused');
  };

  /** What is told of stored answers. */
  readonly ofStored = {
    given: (answer: StoredAnswerGiven): void => {
      this.counters.stored += 1;
      this.#log.info(answer, 'stored answer');
    },
    refused: this.refused,
    failed: (device: string, err: unknown): void =>
      this.#log.warn({ device, err }, 'a stored answer could not be read'),
  };
}
