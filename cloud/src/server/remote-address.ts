import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Addresses and CIDR blocks of the proxies in front; `true`: whoever connects is one. */
export type TrustedProxy = true | readonly string[];

/**
 * Whose request it is, for the log: the last address in `X-Forwarded-For` that no trusted proxy has, where the
 * connection comes from a trusted proxy; else the connection's own. What an untrusted peer writes counts for nothing.
 */
export function remoteAddressOf(
  trusted: TrustedProxy,
): (request: IncomingMessage) => string | undefined {
  const isTrusted = trusted === true ? () => true : matcher(trusted);
  return (request) => {
    let address = request.socket.remoteAddress;
    if (address === undefined || !isTrusted(address)) return address;
    const forwarded = request.headers['x-forwarded-for'];
    const hops = (Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? '')).split(',');
    for (const hop of hops.reverse()) {
      const text = hop.trim();
      if (isIP(text) === 0) break;
      address = text;
      if (!isTrusted(text)) break;
    }
    return address;
  };
}

function matcher(trusted: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of trusted) {
    const [network, bits] = entry.split('/') as [string, string?];
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(bits), family);
  }
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/, ''); // IPv4 on a socket of both families
    return list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
  };
}
