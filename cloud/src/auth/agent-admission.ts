import { PullFault } from '@pullwire/shared';
import type { DeviceRecord, Registry } from '../registry/registry.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { AuthenticatedAgent } from './agent-auth.ts';
import { AuthError } from './auth-error.ts';
import { registryFault } from './registry-fault.ts';

/** Which tokens have opened a link. */
export interface SpentTokens {
  /**
   * Notes that a token opened a link; false where it did before. `expiresAt` in epoch seconds: from then on it need not
   * be remembered. Throws or rejects with `PullFault` `too-many-attempts`, or `RegistryError`.
   */
  spend(device: string, tokenId: string, expiresAt: number): boolean | Promise<boolean>;
}

export interface AgentAdmissionOptions {
  readonly registry: Pick<Registry, 'promoteKey' | 'addDevice'>;
  readonly tokens: SpentTokens;
}

/**
 * What a valid token changes, once, before its link opens: the token is spent, a next key that signed it becomes the
 * device's key, and a device that an issuer vouches for becomes known.
 */
export class AgentAdmission {
  readonly #options: AgentAdmissionOptions;

  constructor(options: AgentAdmissionOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the device as it is from now on. Rejects with `PullFault`: `link-unauthenticated` where the token
   * opened a link before or its key holds no more, `too-many-attempts`, `registry-unavailable`.
   */
  async admit({ identity, record }: AuthenticatedAgent): Promise<DeviceRecord> {
    try {
      const { device, tokenId, expiresAt, signedBy, publicKey } = identity;
      if (
        tokenId !== undefined &&
        !(await this.#options.tokens.spend(device, tokenId, expiresAt))
      ) {
        throw new AuthError('token-replayed', 'the token opened a link before');
      }
      if (signedBy === 'next-key') return await this.#promote(record, publicKey);
      if (signedBy === 'issuer') await this.#register(record);
      return record;
    } catch (error) {
      throw refusal(error);
    }
  }

  async #promote(record: DeviceRecord, publicKey: string): Promise<DeviceRecord> {
    if (!(await this.#options.registry.promoteKey(record.device, publicKey))) {
      throw new AuthError('signature-wrong', 'the key is none of its device any more');
    }
    const { nextKey: _next, rotationAskedAt: _asked, ...rest } = record;
    return { ...rest, publicKey };
  }

  /** One write a link, which also brings the labels up to date. */
  async #register(record: DeviceRecord): Promise<void> {
    try {
      await this.#options.registry.addDevice(record);
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'conflict') throw error;
      throw new AuthError('device-unknown', 'the device has a key of its own, or was revoked');
    }
  }
}

function refusal(error: unknown): unknown {
  if (!(error instanceof AuthError)) return registryFault(error);
  const detail = 'the token is not valid here, or not any more: it is good for one link';
  return new PullFault('link-unauthenticated', 'caller-auth', { detail, cause: error });
}
