import { isLoopback } from './loopback.ts';
import type { RelayConfig } from './relay-config.ts';

/** The names that this machine has for itself. */
export interface MachineNames {
  readonly hostname: string;
  /** Addresses of its network interfaces. */
  readonly addresses: readonly string[];
}

/**
 * The audiences that an agent's token may be for: the host of the URL that the agent dials, with the port where it is
 * not the scheme's own (PROTOCOL.md, "Handshake"). The public URL's where there is one, else those of the address that
 * is listened on. `port`: the one that was bound.
 */
export function audiencesOf(
  { publicUrl, listen, tls }: Pick<RelayConfig, 'publicUrl' | 'listen' | 'tls'>,
  port: number,
  machine: MachineNames,
): string[] {
  if (publicUrl !== undefined) return [new URL(publicUrl).host];
  const scheme = tls === undefined ? 'http' : 'https';
  const hosts = new Set(hostsOf(listen.host, machine).map((host) => host.replace(/%.*$/, '')));
  return [...hosts].map((host) => new URL(`${scheme}://${bracketed(host)}:${port}`).host);
}

function hostsOf(host: string, machine: MachineNames): string[] {
  if (isLoopback(host)) return [...new Set([host, 'localhost', '127.0.0.1', '::1'])];
  if (host !== '0.0.0.0' && host !== '::') return [host];
  return ['localhost', '127.0.0.1', '::1', machine.hostname, ...machine.addresses];
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
