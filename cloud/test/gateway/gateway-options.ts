import type { Clock } from '@pullwire/shared';
import type { GatewaySwitches } from './gateway-switches.ts';
import type { Compose } from './lambda-environment.ts';
import type { RelayManifest } from './manifest.ts';

export interface GatewayUrls {
  /** Where agents dial: `ws://127.0.0.1:port/stage`. */
  readonly linkUrl: string;
  /** The endpoint of the management API: `http://127.0.0.1:port/stage`. */
  readonly connectionsUrl: string;
}

export interface StrictGatewayOptions {
  /** By their names in terraform/relay.json; those the test does not reach may be left out. */
  functions(urls: GatewayUrls): Readonly<Record<string, Compose>>;
  readonly clock?: Clock;
  /** Messages are then shuffled, delayed and doubled, in both directions; `$disconnect` may be lost. */
  readonly seed?: number;
  /** Injected on each way over the network: to a function, to @connections, to a client. */
  readonly delayMs?: number;
  readonly switches?: Partial<GatewaySwitches>;
  /** As in Terraform; all are required of a handshake. */
  readonly identitySources?: readonly string[];
  readonly manifest?: RelayManifest;
  readonly maxEnvironments?: number;
  /** Whether environments stand still between requests; true unless said. */
  readonly freezes?: boolean;
}
