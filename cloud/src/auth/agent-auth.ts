import { type Clock, PullFault } from '@pullwire/shared';
import type { DeviceRecord, Registry } from '../registry/registry.ts';
import { type AgentIdentity, type DeviceKeys, verifyAgentToken } from './agent-token.ts';
import { AuthError } from './auth-error.ts';
import { parseDeviceKey } from './device-key.ts';
import type { IssuerAgent } from './issuers.ts';
import { LookupCache } from './lookup-cache.ts';
import { registryFault } from './registry-fault.ts';

/** Seconds; PROTOCOL.md, "Handshake". */
const tokenTimes = { maxAgeSeconds: 300, leewaySeconds: 30 };

/** A clock that goes back by more between two looks was set (milliseconds). */
const stepMs = 1_000;

/**
 * A device dials once in a long while, so keeping its key would save nothing, and would let one that was just removed
 * in again; and absences that were kept would tell by their speed which devices there are. Only reads under way are
 * shared.
 */
const cached = { maxAgeMs: 0, missAgeMs: 0, capacity: 10_000, firstReads: 256 };

/** Whose tokens speak for devices besides their own keys. */
export interface IssuerAgents {
  /** As `Issuers.agent`. */
  agent(token: string, now: number): Promise<IssuerAgent | undefined>;
}

export interface AgentAuthOptions {
  readonly registry: Pick<Registry, 'deviceRecord'>;
  readonly clock: Clock;
  readonly issuers?: IssuerAgents | undefined;
  /** Since when this relay remembers which tokens were used (milliseconds); undefined: it never forgot any. */
  readonly remembersSince?: number | undefined;
}

export interface AuthenticatedAgent {
  readonly identity: AgentIdentity;
  /** The device, as the registry had it during the handshake; of an issuer, as its token has it. */
  readonly record: DeviceRecord;
}

interface KnownDevice {
  readonly record: DeviceRecord;
  readonly keys: DeviceKeys;
}

/** Tells agents by the token of their handshake, with the public keys that the registry has at that moment. */
export class AgentAuth {
  readonly #options: AgentAuthOptions;
  readonly #devices: LookupCache<KnownDevice>;
  #remembersSince: number | undefined;
  /** How far the wall clock was ahead of the monotonic one when it was looked at last. */
  #aheadMs: number;

  constructor(options: AgentAuthOptions) {
    this.#options = options;
    this.#remembersSince = options.remembersSince;
    this.#aheadMs = options.clock.wall() - options.clock.monotonic();
    this.#devices = new LookupCache({
      load: async (id) => {
        const record = await options.registry.deviceRecord(id);
        return record && { record, keys: keysOf(record) };
      },
      ...cached,
    });
  }

  /**
   * `audiences`: the names under which this relay is dialled. Rejects with `PullFault`: `link-unauthenticated`, whose
   * detail the agent may know, `device-revoked`, or `registry-unavailable`.
   */
  async authenticate(
    token: string | undefined,
    audiences: readonly string[],
  ): Promise<AuthenticatedAgent> {
    const now = this.#options.clock.wall();
    try {
      const agent =
        (await this.#byIssuer(token, now)) ?? (await this.#byKey(token, audiences, now));
      checkInForce(agent.record);
      return agent;
    } catch (error) {
      throw refusal(error);
    }
  }

  /** Lets go of reads under way: what they bring may be older than what has changed. */
  clear(): void {
    this.#devices.clear();
  }

  async #byKey(
    token: string | undefined,
    audiences: readonly string[],
    now: number,
  ): Promise<AuthenticatedAgent> {
    let known: KnownDevice | undefined;
    const identity = await verifyAgentToken(token, {
      keysOf: async (device) => {
        known = await this.#devices.get(device, now);
        return known?.keys;
      },
      audiences,
      now,
      madeSince: this.#madeSince(now),
      ...tokenTimes,
    });
    if (known === undefined) throw new AuthError('device-unknown', 'the device is not known');
    return { identity, record: known.record };
  }

  /**
   * After a clock that was set back a start would lie in the future, and nobody would be let in until then; and what was
   * used before the step may be forgotten. So tokens count from the step on; agents that are refused come again at once.
   */
  #madeSince(now: number): number | undefined {
    const aheadMs = now - this.#options.clock.monotonic();
    if (this.#remembersSince !== undefined && aheadMs < this.#aheadMs - stepMs) {
      this.#remembersSince = now;
    }
    this.#aheadMs = aheadMs;
    return this.#remembersSince;
  }

  async #byIssuer(token: string | undefined, now: number): Promise<AuthenticatedAgent | undefined> {
    const vouched = token && (await this.#options.issuers?.agent(token, now));
    if (!vouched) return undefined;
    const { issuer, device, instance, labels, expiresAt } = vouched;
    const publicKey = `issuer:${issuer}`;
    const known = (await this.#devices.get(device, now))?.record;
    if (known !== undefined && known.publicKey !== publicKey) {
      throw new AuthError('device-unknown', 'the issuer does not speak for this device');
    }
    return {
      identity: {
        ...{ device, instance, publicKey, signedBy: 'issuer', tokenId: undefined },
        keyId: issuer,
        expiresAt,
      },
      record: { ...(known ?? { createdAt: now }), device, publicKey, labels },
    };
  }
}

/** What is no Ed25519 key, such as an issuer's name or a damaged entry, lets nobody in. */
function keysOf({ publicKey, nextKey }: DeviceRecord): DeviceKeys {
  return {
    current: parseDeviceKey(publicKey),
    next: nextKey === undefined ? undefined : parseDeviceKey(nextKey),
  };
}

function checkInForce({ device, revokedAt, revokedWhy }: DeviceRecord): void {
  if (revokedAt === undefined) return;
  const why = revokedWhy === undefined ? '' : `: ${revokedWhy}`;
  throw new AuthError('device-revoked', `the device ${device} was revoked${why}`);
}

/** Whoever has no key of ours must not learn which devices there are; the log has the reason. */
const untold: ReadonlySet<string> = new Set(['device-unknown', 'signature-wrong']);
const oneAnswer = 'the token is not valid here: is the device added, and with this key?';

function refusal(error: unknown): unknown {
  if (!(error instanceof AuthError)) return registryFault(error);
  if (error.code === 'device-revoked') {
    return new PullFault('device-revoked', 'caller-auth', { detail: error.message, cause: error });
  }
  const detail = untold.has(error.code) ? oneAnswer : error.message;
  return new PullFault('link-unauthenticated', 'caller-auth', { detail, cause: error });
}
