import { BlockList, isIP } from 'node:net';

const defaultPorts: Readonly<Record<string, string>> = {
  'ws:': '80',
  'http:': '80',
  'wss:': '443',
  'https:': '443',
};

/**
 * Whether `NO_PROXY` exempts the host of a URL. Entries are separated by commas or spaces: `*`; a host name, which
 * stands for its subdomains too, with or without a leading dot or `*.`; an address; a block of addresses
 * (`10.0.0.0/8`, RFC 4632); each with an optional `:port`. Loopback is not exempt by itself. Entries that cannot be
 * read match nothing.
 */
export function isExempt(url: URL, noProxy: string): boolean {
  const host = bare(url.hostname);
  const port = url.port || (defaultPorts[url.protocol] ?? '');
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => matches(entry.toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const { name, onlyPort } = split(entry);
  if (onlyPort !== undefined && onlyPort !== port) return false;
  if (name.includes('/')) return isInBlock(name, host);
  if (isIP(name) !== 0) return isSameAddress(name, host);
  const suffix = name.replace(/^\*?\./, '');
  if (suffix === '' || isIP(host) !== 0) return false;
  return host === suffix || host.endsWith(`.${suffix}`);
}

/** `host:port`, `[v6]:port`, a bare v6 address or a block of them, whose colons are no ports. */
function split(entry: string): { name: string; onlyPort: string | undefined } {
  const match = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry);
  return { name: bare(match?.[1] ?? entry), onlyPort: match?.[2] };
}

function bare(host: string): string {
  return host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

function isSameAddress(address: string, host: string): boolean {
  return isInBlock(`${address}/${isIP(address) === 6 ? 128 : 32}`, host);
}

function isInBlock(block: string, host: string): boolean {
  const [network = '', prefix = ''] = block.split('/');
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  const bits = Number(prefix);
  const isBlock =
    isIP(network) !== 0 && /^\d+$/.test(prefix) && bits <= (family === 'ipv6' ? 128 : 32);
  if (!isBlock || isIP(host) === 0) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}
