import { type Clock, PullFault } from '@pullwire/shared';
import type { Throttle } from './throttle.ts';

/** Failures that one may have at once, and milliseconds after which one of them is forgotten. */
const burst = 20;
const forgetMs = 3_000;

/**
 * Keys that are counted at a time at most. When it is full, the one that failed longest ago goes: with that many
 * addresses an attacker has no need to be forgotten, and whoever fails now is always counted.
 */
const capacity = 10_000;

interface Bucket {
  /** Failures that count still. */
  level: number;
  /** When `level` was right, by the monotonic clock. */
  at: number;
}

/**
 * Slows down who fails, by address and by credential: a leaky bucket for each, so that whoever was wrong a few times may
 * go on, and guessing goes at one attempt in 3 s. In memory, bounded, constant work a call.
 */
export class AuthThrottle implements Throttle {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  check(keys: readonly string[]): void {
    for (const key of keys) {
      const level = this.#levelOf(this.#buckets.get(grouped(key)));
      if (level <= burst - 1) continue;
      throw new PullFault('too-many-attempts', 'caller-auth', {
        detail: 'too many attempts from this address or with this credential have failed lately',
        retryAfterMs: Math.ceil((level - (burst - 1)) * forgetMs),
      });
    }
  }

  failed(keys: readonly string[]): void {
    const at = this.#clock.monotonic();
    for (const key of keys.map(grouped)) {
      const level = this.#levelOf(this.#buckets.get(key));
      this.#buckets.delete(key); // so that the map keeps the order of the last failures
      this.#buckets.set(key, { level: Math.min(level + 1, burst), at });
    }
    for (const key of this.#buckets.keys()) {
      if (this.#buckets.size <= capacity) break;
      this.#buckets.delete(key);
    }
  }

  #levelOf(bucket: Bucket | undefined): number {
    if (bucket === undefined) return 0;
    return Math.max(0, bucket.level - (this.#clock.monotonic() - bucket.at) / forgetMs);
  }
}

/** Whoever has one IPv6 address has a /64 of them (RFC 6177 §2). */
function grouped(key: string): string {
  if (!key.startsWith('address:')) return key;
  const address = key.slice('address:'.length).replace(/^::ffff:(?=\d+\.)/i, '');
  if (!address.includes(':')) return `address:${address}`;
  return `address:${groupsOf(address).slice(0, 4).join(':')}::/64`;
}

function groupsOf(address: string): string[] {
  const [head = '', tail] = address.split('%')[0]?.toLowerCase().split('::') ?? [];
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  return [...front, ...Array<string>(zeros).fill('0'), ...back].map((group) =>
    group.replace(/^0+(?=.)/, ''),
  );
}
