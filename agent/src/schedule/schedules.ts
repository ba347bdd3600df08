import { isDeepStrictEqual } from 'node:util';
import { ClockWatch } from './clock-watch.ts';
import { type DueMark, DueTime } from './due-time.ts';
import { Schedule, type ScheduleDeps, type ScheduleSnapshot } from './schedule.ts';
import type { ScheduleConfigs } from './schedule-config.ts';

/** All schedules of the agent, which a reload replaces. */
export class Schedules {
  readonly #deps: ScheduleDeps;
  readonly #watch: ClockWatch;
  /** Also of schedules that are gone: one of the same name may come again. */
  readonly #dueTimes = new Map<string, DueTime>();
  #current: ReadonlyMap<string, Schedule> = new Map();
  #started = false;

  constructor(deps: ScheduleDeps) {
    this.#deps = deps;
    this.#watch = new ClockWatch(deps.clock, (byMs) => this.#clockJumped(byMs));
  }

  /** `marks`: the last readings that were taken, by schedule. */
  start(marks: ReadonlyMap<string, DueMark>): void {
    for (const [name, mark] of marks) this.#dueTimes.set(name, new DueTime(mark));
    this.#started = true;
    this.#watch.start();
  }

  /** Those that stay as they are go on undisturbed. */
  replace(configs: ScheduleConfigs): void {
    if (!this.#started) return;
    const next = new Map<string, Schedule>();
    for (const [name, config] of configs) {
      const current = this.#current.get(name);
      const same = current !== undefined && isDeepStrictEqual(current.config, config);
      next.set(
        name,
        same ? current : new Schedule(name, config, this.#dueTimeOf(name), this.#deps),
      );
    }
    const kept = new Set(next.values());
    for (const schedule of this.#current.values()) if (!kept.has(schedule)) schedule.stop();
    const running = new Set(this.#current.values());
    this.#current = next;
    for (const schedule of kept) if (!running.has(schedule)) schedule.start();
  }

  /** No time is due any more; runs under way go on. */
  stop(): void {
    this.#started = false;
    this.#watch.stop();
    for (const schedule of this.#current.values()) schedule.stop();
  }

  snapshot(): Readonly<Record<string, ScheduleSnapshot>> {
    const entries = [...this.#current.values()].map((one) => [one.name, one.snapshot()] as const);
    return Object.fromEntries(entries);
  }

  #dueTimeOf(name: string): DueTime {
    const dueTime = this.#dueTimes.get(name) ?? new DueTime(undefined);
    this.#dueTimes.set(name, dueTime);
    return dueTime;
  }

  #clockJumped(byMs: number): void {
    if (this.#current.size === 0) return;
    this.#deps.logger.warn(
      { byMs },
      'the clock of this device was set, or it slept: schedules go by the clock as it is now',
    );
    for (const schedule of this.#current.values()) schedule.clockJumped();
  }
}
