import { PullFault } from '@pullwire/shared';
import type { AuthenticatedCaller, CallerRequest, Callers } from '../auth/callers.ts';
import type { RefusalCounters } from './refusal-counters.ts';

/** Callers, each refusal of one counted. */
export class CountedCallers implements Callers {
  readonly #callers: Callers;
  readonly #refusals: Pick<RefusalCounters, 'count'>;

  constructor(callers: Callers, refusals: Pick<RefusalCounters, 'count'>) {
    this.#callers = callers;
    this.#refusals = refusals;
  }

  authenticate(request: CallerRequest): AuthenticatedCaller | Promise<AuthenticatedCaller> {
    try {
      const caller = this.#callers.authenticate(request);
      return caller instanceof Promise ? caller.catch(this.#refused) : caller;
    } catch (error) {
      return this.#refused(error);
    }
  }

  readonly #refused = (error: unknown): never => {
    if (error instanceof PullFault) this.#refusals.count(error);
    throw error;
  };
}
