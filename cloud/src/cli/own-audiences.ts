import { hostname, networkInterfaces } from 'node:os';
import type { Clock } from '@pullwire/shared';
import { audiencesOf } from '../config/audience.ts';
import type { RelayConfig } from '../config/relay-config.ts';

/** Addresses of a machine change rarely, and asking for them costs as much as a signature. */
const keptMs = 5_000;

/** The names under which this relay is dialled, on this machine. */
export class OwnAudiences {
  readonly #config: RelayConfig;
  readonly #clock: Clock;
  #names: readonly string[] = [];
  #until = Number.NEGATIVE_INFINITY;

  constructor(config: RelayConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /** `port`: the one that is listened on; always the same. */
  names(port: number): readonly string[] {
    const now = this.#clock.monotonic();
    if (now < this.#until) return this.#names;
    const addresses = Object.values(networkInterfaces()).flatMap((own) => own ?? []);
    const machine = { hostname: hostname(), addresses: addresses.map(({ address }) => address) };
    this.#names = audiencesOf(this.#config, port, machine);
    this.#until = now + keptMs;
    return this.#names;
  }
}
