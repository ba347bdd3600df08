import { type Clock, PullFault } from '@pullwire/shared';
import type { SpentTokens } from '../auth/agent-admission.ts';

/** Tokens of one device that are remembered at a time: with more it is dialling in a loop, or somebody else is. */
const perDevice = 512;
/** After so many tokens everything is looked through for what can be forgotten. */
const sweepEvery = 1_000;
/** Clocks may be off by this much where tokens are checked (seconds). */
const leewaySeconds = 60;

/**
 * Which tokens have opened a link, in memory, until they have expired. A restart forgets them: tokens made before it are
 * refused elsewhere (`AgentAuth`, `remembersSince`).
 */
export class MemorySpentTokens implements SpentTokens {
  readonly #clock: Clock;
  #sinceSweep = 0;
  /** By device: ids of tokens with the second at which they can be forgotten. */
  readonly #devices = new Map<string, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Devices that any token is remembered of. */
  get size(): number {
    return this.#devices.size;
  }

  spend(device: string, tokenId: string, expiresAt: number): boolean {
    this.#sinceSweep += 1;
    if (this.#sinceSweep >= sweepEvery) this.sweep();
    const tokens = this.#devices.get(device) ?? new Map<string, number>();
    if (tokens.has(tokenId)) return false;
    if (tokens.size >= perDevice) this.#forgetExpired(tokens);
    if (tokens.size >= perDevice) {
      throw new PullFault('too-many-attempts', 'caller-auth', {
        detail: `the device has opened ${perDevice} links in the last minutes`,
        retryAfterMs: 60_000,
      });
    }
    tokens.set(tokenId, expiresAt + leewaySeconds);
    this.#devices.set(device, tokens);
    return true;
  }

  /** Forgets what has expired. */
  sweep(): void {
    this.#sinceSweep = 0;
    for (const [device, tokens] of this.#devices) {
      this.#forgetExpired(tokens);
      if (tokens.size === 0) this.#devices.delete(device);
    }
  }

  #forgetExpired(tokens: Map<string, number>): void {
    const now = this.#clock.wall() / 1_000;
    for (const [tokenId, until] of tokens) if (until < now) tokens.delete(tokenId);
  }
}
