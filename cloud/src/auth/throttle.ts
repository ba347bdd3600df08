/**
 * Slows down whoever tries credentials. `keys`: what an attempt is counted by, from `attemptKeys`. An implementation
 * groups addresses as it sees fit.
 */
export interface Throttle {
  /** Throws `PullFault` `too-many-attempts` where one of them has failed too often lately. */
  check(keys: readonly string[]): void;
  /** An attempt has failed. */
  failed(keys: readonly string[]): void;
}

/** By whom, and with what: `address:` and the remote address, `credential:` and the credential's hash, never itself. */
export function attemptKeys(remoteAddress: string | undefined, credentialHash?: string): string[] {
  const keys: string[] = [];
  if (remoteAddress !== undefined) keys.push(`address:${remoteAddress}`);
  if (credentialHash !== undefined) keys.push(`credential:${credentialHash}`);
  return keys;
}
