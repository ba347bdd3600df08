import type { Exchange } from '../http/exchange.ts';
import { problem } from '../http/problem.ts';
import type { StoredPulls, StoredPullsOptions } from '../offline/stored-pulls.ts';
import { storedWish } from '../offline/stored-wish.ts';
import { asFault } from '../pull/pull-fault.ts';
import type { PullRoute } from '../pull/pull-service.ts';

/** Seldom needed: loaded with the first who takes a stored answer, not at each cold start. */
export class LateStoredPulls implements Pick<StoredPulls, 'start'> {
  readonly #options: StoredPullsOptions;
  #stored: Promise<StoredPulls> | undefined;

  constructor(options: StoredPullsOptions) {
    this.#options = options;
  }

  start(exchange: Exchange, route: PullRoute): void {
    if (storedWish(exchange) === undefined) return this.#options.pulls.start(exchange, route);
    this.#stored ??= this.#load();
    this.#stored.then(
      (stored) => stored.start(exchange, route),
      (error: unknown) => this.#fail(exchange, route, error),
    );
  }

  async #load(): Promise<StoredPulls> {
    const { StoredPulls } = await import('../offline/stored-pulls.ts');
    return new StoredPulls(this.#options);
  }

  #fail(exchange: Exchange, { device }: PullRoute, error: unknown): void {
    this.#options.failed(device, error);
    exchange.answer(problem(asFault(error), { method: exchange.method, answeredBy: 'relay' }));
  }
}
