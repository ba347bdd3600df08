import { type Clock, PullFault } from '@pullwire/shared';
import type { DeviceRecord, Registry } from '../registry/registry.ts';
import { type AgentIdentity, verifyAgentToken } from './agent-token.ts';
import { AuthError } from './auth-error.ts';
import { type DeviceKey, parseDeviceKey } from './device-key.ts';
import { LookupCache } from './lookup-cache.ts';
import { registryFault } from './registry-fault.ts';

/** Seconds; PROTOCOL.md, "Handshake". */
const tokenTimes = { maxAgeSeconds: 300, leewaySeconds: 30 };

/**
 * A device dials once in a long while, so keeping its key would save nothing, and would let one that was just removed
 * in again: only reads under way are shared, and absences kept for a moment.
 */
const cached = { maxAgeMs: 0, missAgeMs: 1_000, capacity: 10_000, firstReads: 64 };

export interface AgentAuthOptions {
  readonly registry: Pick<Registry, 'deviceRecord'>;
  readonly clock: Clock;
}

export interface AuthenticatedAgent {
  readonly identity: AgentIdentity;
  /** The device, as the registry had it during the handshake. */
  readonly record: DeviceRecord;
}

interface KnownDevice {
  readonly record: DeviceRecord;
  readonly key: DeviceKey;
}

/** Tells agents by the token of their handshake, with the public key that the registry has at that moment. */
export class AgentAuth {
  readonly #clock: Clock;
  readonly #devices: LookupCache<KnownDevice>;

  constructor({ registry, clock }: AgentAuthOptions) {
    this.#clock = clock;
    this.#devices = new LookupCache({
      load: async (id) => {
        const record = await registry.deviceRecord(id);
        const key = record && parseDeviceKey(record.publicKey);
        return key && { record, key };
      },
      ...cached,
    });
  }

  /**
   * `audiences`: the names under which this relay is dialled. Rejects with `PullFault`: `link-unauthenticated`, whose
   * detail the agent may know, or `registry-unavailable`.
   */
  async authenticate(
    token: string | undefined,
    audiences: readonly string[],
  ): Promise<AuthenticatedAgent> {
    const now = this.#clock.wall();
    let known: KnownDevice | undefined;
    const publicKeyOf = async (device: string) => {
      known = await this.#devices.get(device, now);
      return known?.key;
    };
    try {
      const identity = await verifyAgentToken(token, {
        publicKeyOf,
        audiences,
        now,
        ...tokenTimes,
      });
      if (known === undefined) throw new AuthError('device-unknown', 'the device is not known');
      return { identity, record: known.record };
    } catch (error) {
      throw refusal(error);
    }
  }

  /** Forgets which devices are not known. */
  clear(): void {
    this.#devices.clear();
  }
}

/** Whoever has no key of ours must not learn which devices there are; the log has the reason. */
const untold: ReadonlySet<string> = new Set(['device-unknown', 'signature-wrong']);
const oneAnswer = 'the token is not valid here: is the device added, and with this key?';

function refusal(error: unknown): unknown {
  if (!(error instanceof AuthError)) return registryFault(error);
  const detail = untold.has(error.code) ? oneAnswer : error.message;
  return new PullFault('link-unauthenticated', 'caller-auth', { detail, cause: error });
}
