import type { Daemon } from './daemon.ts';
import { cpuSecondsOf, residentBytesOf, treeOf } from './process-tree.ts';

const everyMs = 200;

/** What a system's processes took while something ran. */
export interface Usage {
  readonly cpuSeconds: number;
  /** By part; the highest seen, looked at five times a second. */
  readonly residentBytes: Readonly<Record<string, number>>;
}

interface Part {
  readonly name: string;
  readonly pids: readonly number[];
  highest: number;
}

/** Watches CPU time and memory of a system's processes from `start()` to `stop()`. */
export class UsageWatch {
  readonly #parts: readonly Part[];
  #timer: NodeJS.Timeout | undefined;
  #cpuBefore = 0;

  constructor(daemons: readonly Daemon[]) {
    this.#parts = daemons.map(({ name, pid }) => ({ name, pids: treeOf([pid]), highest: 0 }));
  }

  start(): void {
    this.#cpuBefore = this.#cpuSeconds();
    this.#look();
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  stop(): Usage {
    clearInterval(this.#timer);
    this.#look();
    return {
      cpuSeconds: this.#cpuSeconds() - this.#cpuBefore,
      residentBytes: Object.fromEntries(this.#parts.map(({ name, highest }) => [name, highest])),
    };
  }

  #look(): void {
    for (const part of this.#parts)
      part.highest = Math.max(part.highest, residentBytesOf(part.pids));
  }

  #cpuSeconds(): number {
    return cpuSecondsOf(this.#parts.flatMap(({ pids }) => pids));
  }
}
