import { isLoopback } from '../config/loopback.ts';
import { PartStoreError } from './part-store.ts';

/** Where parts may be put. A relay must not be able to make the agent talk to whatever stands in its network. */
export interface PutRules {
  /** Always allowed: the relay itself may be the storage. */
  readonly relayHost: string;
  /** Names; `*.example.com` for all below one. */
  readonly hosts: readonly string[];
  /** Whether `http:` is allowed off loopback. */
  readonly insecure: boolean;
}

/** @throws PartStoreError where the agent puts nothing there. The text names the host and never the URL, which is signed. */
export function putTarget(text: string, rules: PutRules): URL {
  const url = URL.parse(text);
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw new PartStoreError('the relay named no URL of a storage', false);
  }
  const { hostname, protocol } = url;
  if (!isAllowed(hostname, rules)) {
    throw new PartStoreError(
      `the agent may not store at ${hostname}: it is not among uploadHosts`,
      false,
    );
  }
  if (protocol === 'http:' && !rules.insecure && !isLoopback(hostname)) {
    throw new PartStoreError(`the agent stores at ${hostname} by https only`, false);
  }
  return url;
}

function isAllowed(hostname: string, { relayHost, hosts }: PutRules): boolean {
  const host = hostname.toLowerCase();
  if (host === relayHost.toLowerCase()) return true;
  return hosts.some((allowed) => {
    const name = allowed.toLowerCase();
    return name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name;
  });
}
