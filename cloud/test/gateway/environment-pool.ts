import type { Clock } from '@pullwire/shared';
import { type Compose, LambdaEnvironment } from './lambda-environment.ts';
import { LambdaError } from './lambda-error.ts';

/** Invocations of one function, since its start. */
export interface InvocationCounts {
  invocations: number;
  coldStarts: number;
  errors: number;
  throttles: number;
}

export interface EnvironmentPoolOptions {
  readonly name: string;
  readonly compose: Compose;
  readonly clock: Clock;
  readonly maxEnvironments?: number;
  readonly freezes?: boolean;
}

/** The environments of one function. */
export class EnvironmentPool {
  readonly #options: EnvironmentPoolOptions;
  readonly #counts: InvocationCounts;
  #environments: readonly LambdaEnvironment[] = [];

  constructor(options: EnvironmentPoolOptions, counts: InvocationCounts) {
    this.#options = options;
    this.#counts = counts;
  }

  /** The living ones, the latest used last. */
  get environments(): readonly LambdaEnvironment[] {
    this.#environments = this.#environments.filter((each) => !each.retired);
    return this.#environments;
  }

  /**
   * The idle one that was used last, or a fresh one. Rejects with `LambdaError` `throttled` where all that may exist
   * are busy, or with what the composition threw.
   */
  async take(): Promise<LambdaEnvironment> {
    const { name, maxEnvironments = Number.POSITIVE_INFINITY } = this.#options;
    const living = this.environments;
    const idle = living.findLast((each) => each.idle);
    if (idle === undefined && living.length >= maxEnvironments) {
      this.#counts.throttles += 1;
      throw new LambdaError('throttled', `${name}: Rate Exceeded.`);
    }
    this.#counts.invocations += 1;
    if (idle === undefined) return this.#coldStart();
    this.#environments = [...living.filter((each) => each !== idle), idle];
    idle.occupy();
    return idle;
  }

  async #coldStart(): Promise<LambdaEnvironment> {
    const { clock, compose, freezes = true } = this.#options;
    const fresh = new LambdaEnvironment(clock, freezes);
    this.#environments = [...this.#environments, fresh];
    this.#counts.coldStarts += 1;
    try {
      await fresh.start(compose);
      return fresh;
    } catch (error) {
      fresh.retire();
      throw error;
    }
  }
}
