import { PullFault } from '@pullwire/shared';
import { RegistryError } from '../registry/registry-error.ts';

/** What a credential that cannot be looked up is answered with; errors of other kinds are passed through. */
export function registryFault(error: unknown): unknown {
  if (!(error instanceof RegistryError)) return error;
  return new PullFault('registry-unavailable', 'caller-auth', {
    detail: 'the registry cannot be used now; the log of the relay says why',
    retryAfterMs: 2_000,
    cause: error,
  });
}
