import { PullFault } from '@pullwire/shared';
import type { AuthenticatedCaller } from '../auth/callers.ts';

interface Labelled {
  readonly labels: Readonly<Record<string, string>>;
}

/** The device, where the caller may pull this from it. Throws `PullFault` `not-found` or `method-not-granted`. */
export function checkGrant<D extends Labelled>(
  caller: AuthenticatedCaller,
  device: D | undefined,
  route: { readonly device: string; readonly source: string },
  method: string,
): D {
  const verdict = caller.grants.allows(
    route.device,
    device?.labels ?? noLabels,
    route.source,
    method,
  );
  // One answer for an unknown device and one without a grant: who may not know, learns nothing.
  if (device === undefined || verdict === 'no-grant') {
    throw new PullFault('not-found', 'lookup', {
      detail: 'there is no such device or source, or your key has no grant for it',
    });
  }
  if (verdict === 'method-not-granted') {
    throw new PullFault('method-not-granted', 'grant', {
      detail: `your key has no grant for ${method} on this source`,
    });
  }
  return device;
}

const noLabels = {};
