import { type Logger as CronLogger, createTask, type ScheduledTask } from 'node-cron';
import type { Logger } from 'pino';
import { type QueueSweep, sweepQueueBodies } from '../queue/sweep-queue-bodies.ts';
import { type ReadingSweep, sweepReadings } from '../reading/sweep-readings.ts';
import type { Registry } from '../registry/registry.ts';
import { sweepRegistry } from '../registry/sweep-registry.ts';

export interface SweepScheduleInit {
  readonly registry: Pick<Registry, 'sweep'> & ReadingSweep['registry'];
  readonly readings: Omit<ReadingSweep, 'now' | 'registry' | 'limit'>;
  readonly queue: QueueSweep;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Minute of the hour, 0–59: servers that share a table should not all sweep at once. */
  readonly minute: number;
}

/** In one sweep. */
const readingLimit = 200_000;

/** Sweeps every hour: nothing is kept of links long ended, of keys long expired, and of what was kept for its time. */
export class SweepSchedule {
  readonly #init: SweepScheduleInit;
  #task: ScheduledTask | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(init: SweepScheduleInit) {
    this.#init = init;
  }

  /** Throws where `minute` is none. */
  start(): void {
    this.#task = createTask(`${this.#init.minute} * * * *`, () => this.sweep(), {
      name: 'registry sweep',
      noOverlap: true,
      unref: true,
      logger: cronLogger(this.#init.log),
    });
    void this.#task.start();
  }

  /** Resolves when a sweep under way has ended. */
  async stop(): Promise<void> {
    await this.#task?.destroy();
    await this.#running;
  }

  /** One sweep; what goes wrong is logged, and the next hour tries again. */
  sweep(): Promise<void> {
    this.#running = this.#sweep();
    return this.#running;
  }

  async #sweep(): Promise<void> {
    const { registry, readings, queue, now } = this.#init;
    await this.#part('registry', () => sweepRegistry(registry, now()));
    await this.#part('readings', () =>
      sweepReadings({ ...readings, registry, now: now(), limit: readingLimit }),
    );
    await this.#part('bodies of queued pulls', () => sweepQueueBodies(queue, now()));
  }

  async #part(name: string, sweep: () => Promise<number>): Promise<void> {
    const { log } = this.#init;
    try {
      log.info({ removed: await sweep() }, `${name} swept`);
    } catch (err) {
      log.warn({ err }, `the ${name} cannot be swept now`);
    }
  }
}

function cronLogger(log: Logger): CronLogger {
  return {
    debug: (message, err) => log.debug({ err }, String(message)),
    info: (message) => log.info(message),
    warn: (message) => log.warn(message),
    error: (message, err) => log.error({ err }, String(message)),
  };
}
