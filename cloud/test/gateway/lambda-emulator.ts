import { randomUUID } from 'node:crypto';
import type { Clock } from '@pullwire/shared';
import type { LambdaContext } from '../../src/lambda/event.ts';
import { EnvironmentPool, type InvocationCounts } from './environment-pool.ts';
import { InFlight } from './in-flight.ts';
import { type Hold, type InvocationFault, InvocationPlan, playFault } from './invocation-fault.ts';
import type { Compose, LambdaEnvironment } from './lambda-environment.ts';
import { LambdaError } from './lambda-error.ts';
import { eventJson, passedResult } from './lambda-payload.ts';
import type { ResponseStream } from './response-stream.ts';

export interface LambdaEmulatorOptions {
  readonly name: string;
  readonly compose: Compose;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** How many may exist at once; without it as many as are needed. */
  readonly maxEnvironments?: number;
  /** Whether an environment stands still between requests; true unless said. */
  readonly freezes?: boolean;
}

/** One Lambda function: makes environments as they are needed, and gives each one request at a time. */
export class LambdaEmulator {
  readonly name: string;
  readonly counts: InvocationCounts = { invocations: 0, coldStarts: 0, errors: 0, throttles: 0 };
  /** The function's log of failures, oldest first. */
  readonly errors: LambdaError[] = [];
  readonly #options: LambdaEmulatorOptions;
  readonly #plan = new InvocationPlan();
  readonly #pool: EnvironmentPool;
  readonly #inFlight = new InFlight();

  constructor(options: LambdaEmulatorOptions) {
    this.#options = options;
    this.#pool = new EnvironmentPool(options, this.counts);
    this.name = options.name;
  }

  /** The living ones, the latest used last. */
  get environments(): readonly LambdaEnvironment[] {
    return this.#pool.environments;
  }

  /** Faults and holds that no invocation has met yet. */
  get pendingFaults(): number {
    return this.#plan.pending;
  }

  /** Makes the next invocations fail. */
  failNext(fault: InvocationFault, times = 1): void {
    this.#plan.fail(fault, times);
  }

  /** Makes the next invocation wait for the test. */
  holdNext(): Hold {
    return this.#plan.hold();
  }

  /** Ends every environment: the next request is a cold start. */
  retire(): void {
    for (const environment of this.#pool.environments) environment.retire();
  }

  /**
   * One synchronous invocation. Event and result pass through JSON. A handler that streams writes to `stream`, and
   * the result is undefined. Rejects with `LambdaError`.
   */
  invoke(event: unknown, stream?: ResponseStream): Promise<unknown> {
    const invocation = this.#invoke(event, stream);
    this.#inFlight.track(invocation.catch(() => undefined));
    return invocation;
  }

  /** Resolves when no environment is at work: an answer can reach its caller before the invocation has ended. */
  settled(): Promise<void> {
    return this.#inFlight.settled();
  }

  async #invoke(event: unknown, stream?: ResponseStream): Promise<unknown> {
    try {
      const payload = eventJson(event);
      const environment = await this.#pool.take();
      try {
        return await this.#runIn(environment, payload, stream);
      } finally {
        environment.release();
      }
    } catch (error) {
      throw this.#log(error);
    }
  }

  async #runIn(
    environment: LambdaEnvironment,
    payload: string,
    stream?: ResponseStream,
  ): Promise<unknown> {
    const { clock, timeoutMs } = this.#options;
    const cutOff = Promise.withResolvers<never>();
    const until = clock.monotonic() + timeoutMs;
    const timer = clock.after(timeoutMs, () => {
      cutOff.reject(this.#timedOut());
      environment.retire();
    });
    void environment.ended.then(() => cutOff.reject(this.#crashed()));
    const context: LambdaContext = {
      awsRequestId: randomUUID(),
      getRemainingTimeInMillis: () => until - clock.monotonic(),
    };
    const work = () => environment.run(JSON.parse(payload), stream, context);
    try {
      const result = await Promise.race([cutOff.promise, this.#play(environment, work)]);
      return passedResult(this.name, result);
    } finally {
      timer.cancel();
    }
  }

  #timedOut(): LambdaError {
    const seconds = (this.#options.timeoutMs / 1000).toFixed(2);
    return new LambdaError('timed-out', `${this.name}: Task timed out after ${seconds} seconds`);
  }

  #crashed(): LambdaError {
    return new LambdaError('crashed', `${this.name}: Runtime exited with error: exit status 1`);
  }

  async #play(environment: LambdaEnvironment, work: () => Promise<unknown>): Promise<unknown> {
    const step = this.#plan.next();
    if (step === undefined) return work();
    if ('hold' in step) {
      await step.hold();
      return work();
    }
    return playFault(step.fault, work, () => {
      environment.retire();
      throw this.#crashed();
    });
  }

  #log(error: unknown): LambdaError {
    const logged =
      error instanceof LambdaError
        ? error
        : new LambdaError('failed', `${this.name}: ${errorText(error)}`, { cause: error });
    if (logged.kind !== 'throttled') {
      this.counts.errors += 1;
      this.errors.push(logged);
    }
    return logged;
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
