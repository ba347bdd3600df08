import { getServers } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Check, Finding } from './check.ts';

/** The addresses of whoever is dialled first, by the system's resolver, as a dial asks it. */
export const dnsCheck: Check = {
  component: 'dns',
  needs: ['proxy', 'config'],
  limitMs: 15_000,
  target: (patient) => (patient.hasConfig ? patient.relay.hostname : 'relay'),
  run: async (patient) => {
    const { host } = patient.firstHop;
    if (isIP(host) !== 0) return [{ target: host, state: 'ok', details: 'an address by itself' }];
    const began = patient.clock.monotonic();
    try {
      const addresses = await lookup(host, { all: true });
      const ms = Math.round(patient.clock.monotonic() - began);
      const details = `${addresses.map(({ address }) => address).join(', ')} (${ms} ms)`;
      return [{ target: host, state: 'ok', details }];
    } catch (error) {
      return [unresolved(host, (error as NodeJS.ErrnoException).code ?? String(error))];
    }
  },
};

/** The resolver's codes (getaddrinfo(3)), as Node names them. */
function unresolved(target: string, code: string): Finding {
  const asked = getServers().join(', ') || 'none';
  const servers = `nameservers: ${asked}`;
  if (code === 'ENOTFOUND') {
    const details = `there is no such name (${code}; ${servers})`;
    const advice =
      'compare the name with the relay’s address as its operator has it; a name that only an inner nameserver knows needs that one in /etc/resolv.conf';
    return { target, state: 'failed', details, advice };
  }
  const details = `the name could not be looked up: no answer from a resolver (${code}; ${servers})`;
  const advice = 'see to the nameservers in /etc/resolv.conf, and that port 53 to them is open';
  return { target, state: 'failed', details, advice };
}
