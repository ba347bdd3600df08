import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type Clock, pullIds } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { AgentConfig } from './config/agent-config.ts';
import type { HoldSnapshot } from './reading/reading-hold.ts';
import { type ReadingCounters, ReadingSender } from './reading/reading-sender.ts';
import type { ScheduleSnapshot } from './schedule/schedule.ts';
import type { ScheduleConfigs } from './schedule/schedule-config.ts';
import type { PullRunner } from './schedule/scheduled-pull.ts';
import { Schedules } from './schedule/schedules.ts';
import { Spool, type SpoolSnapshot } from './spool/spool.ts';

export interface AgentReadingsDeps {
  readonly clock: Clock;
  /** In [0, 1). */
  random(): number;
  readonly logger: Logger;
  readonly pulls: PullRunner;
  /** How far the relay's clock is ahead of this device's, in milliseconds. */
  aheadMs(): number;
}

export interface ReadingsSnapshot {
  readonly spool: SpoolSnapshot;
  /** `unanswered`: batches on their way. */
  readonly sending: Readonly<ReadingCounters> & {
    readonly unanswered: number;
    /** The relay holds readings back; undefined: it takes them. */
    readonly hold: HoldSnapshot | undefined;
  };
  readonly schedules: Readonly<Record<string, ScheduleSnapshot>>;
}

const hourMs = 3_600_000;

/** What is collected by schedules, from its due time to the relay's word that it is stored. */
export class AgentReadings {
  readonly #spool: Spool;
  readonly #schedules: Schedules;
  readonly #path: string;
  #opened: Promise<void> | undefined;
  readonly sender: ReadingSender;

  constructor({ path, maxBytes, maxAgeHours }: AgentConfig['spool'], deps: AgentReadingsDeps) {
    const { clock, logger } = deps;
    this.#path = path;
    const bounds = { maxBytes, maxAgeMs: maxAgeHours * hourMs };
    this.#spool = new Spool({ path, bounds, clock, logger });
    this.sender = new ReadingSender({ store: this.#spool, clock, logger });
    this.#schedules = new Schedules({
      ...deps,
      newPullId: pullIds(randomBytes),
      append: (reading) => this.#spool.append(reading),
    });
  }

  /** Never rejects: trouble with the spool is no reason to answer no pulls. An agent that collects nothing has no spool. */
  async take(configs: ScheduleConfigs): Promise<void> {
    if (this.#opened === undefined && configs.size === 0 && !existsSync(this.#path)) return;
    this.#opened ??= this.#open();
    await this.#opened;
    this.#schedules.replace(configs);
  }

  snapshot(): ReadingsSnapshot {
    return {
      spool: this.#spool.snapshot(),
      sending: {
        ...this.sender.counters,
        unanswered: this.sender.unanswered,
        hold: this.sender.hold,
      },
      schedules: this.#schedules.snapshot(),
    };
  }

  /** Nothing is begun any more; what is under way is still taken. */
  quieten(): void {
    this.#schedules.stop();
    this.sender.stop();
  }

  async stop(): Promise<void> {
    this.quieten();
    await this.#spool.stop();
  }

  async #open(): Promise<void> {
    const marks = await this.#spool.start();
    this.#schedules.start(new Map(marks.map((mark) => [mark.schedule, mark])));
    this.sender.look();
  }
}
