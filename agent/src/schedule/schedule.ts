import type { Clock, Timer } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { SpoolReading } from '../spool/spool-reading.ts';
import { CronTimer } from './cron-timer.ts';
import type { DueMark, DueTime } from './due-time.ts';
import type { ScheduleConfig } from './schedule-config.ts';
import { runScheduledPull, type ScheduledPullDeps } from './scheduled-pull.ts';

export interface ScheduleDeps extends ScheduledPullDeps {
  readonly clock: Clock;
  /** In [0, 1). */
  random(): number;
  readonly logger: Logger;
  /** How far the relay's clock is ahead of this device's, in milliseconds. */
  aheadMs(): number;
  /** True: it is on the disk. */
  append(reading: SpoolReading): Promise<boolean>;
}

export interface ScheduleSnapshot {
  readonly cron: string;
  readonly timeZone: string | undefined;
  /** Epoch milliseconds, by this device's clock. */
  readonly nextAt: number | undefined;
  readonly running: boolean;
  /** Of the last run: when it was due, what came of it (`done` or an error code), how long it took. */
  readonly last:
    | {
        readonly at: number;
        readonly outcome: string;
        readonly status: number | undefined;
        readonly ms: number;
      }
    | undefined;
  readonly runs: number;
  /** Times that passed unseen: the process was busy or asleep, or the clock jumped over them. */
  readonly missed: number;
  /** Times that came while the run before was under way. */
  readonly skipped: number;
}

/** One schedule: from its due times to readings. */
export class Schedule {
  readonly name: string;
  readonly config: ScheduleConfig;
  readonly #deps: ScheduleDeps;
  readonly #timer: CronTimer;
  readonly #dueTime: DueTime;
  #jitter: Timer | undefined;
  #isBusy = false;
  #queued: DueMark | undefined;
  #last: ScheduleSnapshot['last'];
  #isStopped = false;
  #runs = 0;
  #missed = 0;
  #skipped = 0;

  constructor(name: string, config: ScheduleConfig, dueTime: DueTime, deps: ScheduleDeps) {
    this.name = name;
    this.config = config;
    this.#deps = deps;
    this.#dueTime = dueTime;
    this.#timer = new CronTimer({
      cron: config.cron,
      timeZone: config.timeZone,
      logger: deps.logger,
      due: (dueMs) => this.#due(dueMs),
      missed: () => {
        this.#missed += 1;
      },
    });
  }

  start(): void {
    this.#timer.start();
  }

  /** No time is due any more; a run under way goes on, and its reading is taken. */
  stop(): void {
    this.#isStopped = true;
    this.#timer.stop();
    this.#jitter?.cancel();
    this.#queued = undefined;
  }

  clockJumped(): void {
    this.#timer.restart();
  }

  snapshot(): ScheduleSnapshot {
    const { cron, timeZone } = this.config;
    return {
      cron,
      timeZone,
      nextAt: this.#timer.nextMs,
      running: this.#isBusy,
      last: this.#last,
      runs: this.#runs,
      missed: this.#missed,
      skipped: this.#skipped,
    };
  }

  #due(dueMs: number): void {
    const mark = this.#dueTime.next(dueMs, this.#deps.aheadMs());
    if (!this.#isBusy) return this.#begin(mark);
    if (this.config.overlap === 'queue' && this.#queued === undefined) this.#queued = mark;
    else this.#skipped += 1;
  }

  #begin(mark: DueMark): void {
    this.#isBusy = true;
    const waitMs = Math.floor(this.#deps.random() * this.config.jitterMs);
    if (waitMs === 0) return void this.#run(mark);
    this.#jitter = this.#deps.clock.after(waitMs, () => void this.#run(mark));
  }

  async #run(mark: DueMark): Promise<void> {
    const { name, config } = this;
    const { entry, body } = await runScheduledPull(name, mark.at, config, this.#deps);
    const { status, fault, ms } = entry;
    this.#runs += 1;
    this.#last = { at: mark.at, outcome: fault?.code ?? 'done', status, ms };
    // The next run need not wait for the disk.
    void this.#deps.append({ entry, body, step: mark.step });
    this.#isBusy = false;
    const queued = this.#queued;
    this.#queued = undefined;
    if (queued !== undefined && !this.#isStopped) this.#begin(queued);
  }
}
