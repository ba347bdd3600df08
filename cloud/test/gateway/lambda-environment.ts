import { randomUUID } from 'node:crypto';
import type { Clock } from '@pullwire/shared';
import type { LambdaContext } from '../../src/lambda/event.ts';
import { FreezableClock } from './freezable-clock.ts';
import { isStreaming, type LambdaHandler } from './lambda-handler.ts';
import type { ResponseStream } from './response-stream.ts';

/** What stands still with its environment; a `WebSocket` of `ws` is one. */
export interface Freezable {
  pause(): void;
  resume(): void;
  terminate?(): void;
}

/** Makes the function of one environment: its module level, run once at the cold start. */
export type Compose = (environment: LambdaEnvironment) => LambdaHandler | Promise<LambdaHandler>;

/**
 * One sandbox of a function: a composition of its own, one request at a time, frozen between them. What a composition
 * builds on `clock`, and the sockets it gives to `own`, stand still with it.
 */
export class LambdaEnvironment {
  readonly id = randomUUID();
  readonly clock: Clock;
  /** How many requests it has taken. */
  invocations = 0;
  readonly #clock: FreezableClock;
  readonly #freezes: boolean;
  readonly #owned = new Set<Freezable>();
  #handler: LambdaHandler | undefined;
  readonly #ended = Promise.withResolvers<void>();
  #state: 'busy' | 'idle' | 'retired' = 'busy';

  constructor(clock: Clock, freezes: boolean) {
    this.#clock = new FreezableClock(clock);
    this.clock = this.#clock;
    this.#freezes = freezes;
  }

  get idle(): boolean {
    return this.#state === 'idle';
  }

  get retired(): boolean {
    return this.#state === 'retired';
  }

  /** Resolves when it has been retired. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  async start(compose: Compose): Promise<void> {
    this.#handler = await compose(this);
  }

  /** Pauses `thing` whenever the environment is frozen, and terminates it with the environment. */
  own(thing: Freezable): void {
    if (this.retired) return thing.terminate?.();
    this.#owned.add(thing);
    if (this.idle && this.#freezes) thing.pause();
  }

  disown(thing: Freezable): void {
    this.#owned.delete(thing);
  }

  /** Takes it for one request: thaws it. */
  occupy(): void {
    this.#state = 'busy';
    if (!this.#freezes) return;
    for (const thing of this.#owned) thing.resume();
    this.#clock.thaw();
  }

  /** The request was answered: freezes it. */
  release(): void {
    if (this.retired) return;
    this.#state = 'idle';
    if (!this.#freezes) return;
    this.#clock.freeze();
    for (const thing of this.#owned) thing.pause();
  }

  /** Runs the handler. A streaming one is through when it has returned and its stream has ended. */
  async run(
    event: unknown,
    stream: ResponseStream | undefined,
    context: LambdaContext,
  ): Promise<unknown> {
    const handler = this.#handler;
    if (handler === undefined) throw new Error('the environment was not started');
    // The process is gone: nobody runs, and nobody answers.
    if (this.retired) return new Promise(() => {});
    this.invocations += 1;
    // What arrives is JSON; which event it is, the handler's type claims.
    if (!isStreaming(handler)) return handler(event as never, context);
    if (stream === undefined) throw new Error('a streaming handler is called by a function URL');
    await handler(event as never, stream, context);
    await stream.ended;
    return undefined;
  }

  /** Ends the sandbox, as Lambda does after a crash, a time-out or a while: what it is at fails as `crashed`. */
  retire(): void {
    if (this.retired) return;
    this.#state = 'retired';
    this.#clock.stop();
    for (const thing of this.#owned) thing.terminate?.();
    this.#owned.clear();
    this.#ended.resolve();
  }
}
