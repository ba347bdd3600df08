import { PullFault } from '@pullwire/shared';
import { AuthError } from '../auth/auth-error.ts';
import { inForce, knownCaller } from '../auth/known-caller.ts';
import { checkGrant } from '../pull/pull-grant.ts';
import type { PullableDevice } from '../pull/pull-target.ts';
import type { Registry } from '../registry/registry.ts';
import type { QueuedPull } from './queued-pull.ts';

export interface QueuedGrantsOptions {
  readonly registry: Pick<Registry, 'keyByHash' | 'deviceRecord'>;
  /** Epoch milliseconds. */
  wall(): number;
}

/** Whether a pull that was granted when it was queued is granted still, by strong reads. */
export class QueuedGrants {
  readonly #options: QueuedGrantsOptions;

  constructor(options: QueuedGrantsOptions) {
    this.#options = options;
  }

  /** Why the pull may not be sent any more; undefined: it may. Throws `RegistryError`. */
  async refusal(pull: QueuedPull, device: PullableDevice): Promise<PullFault | undefined> {
    const { registry } = this.#options;
    const record = await registry.deviceRecord(pull.device);
    // Another device may have got the name meanwhile: what was queued was not for that one.
    if (record === undefined || record.createdAt > pull.queuedAt) return gone();
    // A token of an issuer is not kept: what it granted holds until the pull's deadline.
    if (pull.keyHash === undefined) return undefined;
    const key = await registry.keyByHash(pull.keyHash);
    try {
      const { wall } = this.#options;
      const known =
        key &&
        knownCaller(
          { ...key, expiresAt: key.expiresAt, revoked: key.revokedAt !== undefined },
          wall,
        );
      const caller = inForce(known, 'pullwire-key', wall());
      const { path, query, source, method } = pull;
      const route = { name: 'pull', device: pull.device, source, path, query } as const;
      checkGrant(caller, device, route, method);
      return undefined;
    } catch (error) {
      return asRefusal(error);
    }
  }
}

function gone(): PullFault {
  return new PullFault('not-found', 'lookup', {
    detail: 'the device was removed after the pull was queued',
  });
}

function asRefusal(error: unknown): PullFault {
  if (error instanceof PullFault) return error;
  if (!(error instanceof AuthError)) throw error;
  return new PullFault('caller-unauthenticated', 'caller-auth', { detail: error.message });
}
