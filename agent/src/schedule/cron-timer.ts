import { createTask, type ScheduledTask } from 'node-cron';
import type { Logger } from 'pino';

export interface CronTimerOptions {
  readonly cron: string;
  /** Absent: that of the process. */
  readonly timeZone: string | undefined;
  readonly logger: Logger;
  /** It is time. `dueMs`: when it was due, in epoch milliseconds by this device's clock. */
  due(dueMs: number): void;
  /** A time passed without `due`: the process was busy, stopped or asleep, or the clock jumped over it. */
  missed(): void;
}

/** Times that passed longer ago than this are not looked at one by one. */
const gapMs = 60_000;

/** What node-cron calls for the next time after a date. */
interface Matcher {
  getNextMatch(date: Date): Date;
}

/**
 * One cron expression's times, by node-cron. It sleeps for as long as the clock says when it lies down, and afterwards
 * goes through every time that passed meanwhile (200 µs each): after a jump by a year that would keep the agent busy for
 * an hour, so a gap is passed over and counts as one missed time. Clocks that jump while it sleeps: `restart`.
 */
export class CronTimer {
  readonly #options: CronTimerOptions;
  #task: ScheduledTask | undefined;
  #nextMs: number | undefined;

  constructor(options: CronTimerOptions) {
    this.#options = options;
  }

  /** Epoch milliseconds by this device's clock; undefined where it does not run. */
  get nextMs(): number | undefined {
    return this.#nextMs;
  }

  start(): void {
    const { cron, timeZone, logger } = this.#options;
    const task = createTask(cron, ({ date }) => this.#due(date), {
      ...(timeZone !== undefined && { timezone: timeZone }),
      suppressMissedWarning: true,
      logger: {
        info: (message) => logger.debug(message),
        warn: (message) => logger.debug(message),
        error: (error) => logger.error({ err: error }, 'a schedule failed'),
        debug: (message) => logger.debug(String(message)),
      },
    });
    task.on('execution:missed', () => this.#missed());
    this.#passOverGaps(task);
    this.#task = task;
    void task.start();
    this.#look();
  }

  stop(): void {
    void this.#task?.destroy();
    this.#task = undefined;
    this.#nextMs = undefined;
  }

  /** The clock was set: sleeps anew, by the clock as it is now. */
  restart(): void {
    const isMissed = this.#nextMs !== undefined && this.#nextMs <= Date.now();
    this.stop();
    if (isMissed) this.#options.missed();
    this.start();
  }

  #due(date: Date): void {
    this.#look();
    this.#options.due(date.getTime());
  }

  #missed(): void {
    this.#look();
    this.#options.missed();
  }

  #look(): void {
    this.#nextMs = this.#task?.getNextRun()?.getTime();
  }

  /**
   * A next time that is not after the one before makes node-cron 4.6 go on from now (its `planBeat`). The matcher is no
   * part of its types; without one this would be another version of node-cron.
   */
  #passOverGaps(task: ScheduledTask): void {
    const { timeMatcher } = task as ScheduledTask & { timeMatcher?: Matcher };
    if (timeMatcher === undefined) throw new Error('node-cron has no timeMatcher: see CronTimer');
    const next = timeMatcher.getNextMatch.bind(timeMatcher);
    timeMatcher.getNextMatch = (date) => {
      if (Date.now() - date.getTime() <= gapMs) return next(date);
      setImmediate(() => this.#missed());
      return date;
    };
  }
}
