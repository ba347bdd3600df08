import { gatewayLimit } from './gateway-limit.ts';

/** What AWS.md marks [?] about WebSocket APIs: tests must pass either way. */
export interface GatewaySwitches {
  /** Whether a client's ping keeps a connection from going idle. */
  readonly pingsResetIdle: boolean;
  /** Whether the authorizer's numbers and booleans come back as text. */
  readonly contextAsText: boolean;
  /** Whether a refusal of `$connect` passes its headers and body on, or its status only. */
  readonly refusalCarriesHeaders: boolean;
  /** The frames in which a post over 32 KB reaches the client: several of 32 KB, or one. */
  readonly splitsPosts: boolean;
  /** Whether a 101 has a `Date`, as refusals do: seen in logs of those (`x-amzn-ErrorType`), not of these. */
  readonly datesAcceptance: boolean;
  /** Bytes that may wait for a client that does not read; beyond them posts are answered 429. */
  readonly clientBufferBytes: number;
  /** 2 hours; for tests that cannot wait for so long. */
  readonly lifeMs: number;
  /** 10 minutes without a message either way; for the same tests. */
  readonly idleMs: number;
}

/** The least friendly reading of each. */
export const gatewayDefaults: GatewaySwitches = {
  pingsResetIdle: false,
  contextAsText: true,
  refusalCarriesHeaders: false,
  splitsPosts: true,
  datesAcceptance: false,
  clientBufferBytes: 4 * 1024 * 1024,
  lifeMs: gatewayLimit.lifeMs,
  idleMs: gatewayLimit.idleMs,
};
