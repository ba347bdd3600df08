import type { HeaderList } from '@pullwire/shared';
import type { CredentialHeader } from '../http/pull-headers.ts';

export type GrantVerdict = 'allowed' | 'no-grant' | 'method-not-granted';

/** What a caller may pull and see; compiled once a key. */
export interface CallerGrants {
  allows(
    device: string,
    labels: Readonly<Record<string, string>>,
    source: string,
    method: string,
  ): GrantVerdict;
  seesDevice(device: string, labels: Readonly<Record<string, string>>): boolean;
  /** Whether any pull with a body could be granted: what else would an upload be for. */
  uploads(): GrantVerdict;
  /** May delete the device from the registry. */
  managesDevice(device: string, labels: Readonly<Record<string, string>>): boolean;
}

/** Whoever sent the request, by a key or token that is valid now. */
export interface AuthenticatedCaller {
  readonly id: string;
  readonly name: string;
  readonly grants: CallerGrants;
  /** Which header carried the credential: the only one that is removed. */
  readonly credential: CredentialHeader;
}

/** What of a request tells whose it is; an `Exchange` is one. */
export interface CallerRequest {
  readonly headers: HeaderList;
  /** Undefined where the host does not know it, or somebody else counts by it. */
  readonly remoteAddress: string | undefined;
}

export interface Callers {
  /**
   * At once where the key or token is cached. Throws or rejects with `PullFault` `caller-unauthenticated`,
   * `too-many-attempts` or `registry-unavailable`.
   */
  authenticate(request: CallerRequest): AuthenticatedCaller | Promise<AuthenticatedCaller>;
}
