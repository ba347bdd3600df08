import { PullFault } from '@pullwire/shared';
import { RegistryError } from '../registry/registry-error.ts';

/** The registry's answer; where it cannot be read, rejects with `PullFault` `registry-unavailable`. */
export async function orUnavailable<T>(answer: T | Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    throw new PullFault('registry-unavailable', 'lookup', {
      detail: 'the registry cannot be used now; the log of the relay says why',
      retryAfterMs: 2_000,
      cause: error,
    });
  }
}
