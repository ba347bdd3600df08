import { once } from 'node:events';
import { connect } from 'node:net';
import { describeFailure } from '../link/link-socket.ts';
import type { Check, Finding } from './check.ts';

/** A connection to whoever is dialled first: the relay, or the proxy before it. */
export const tcpCheck: Check = {
  component: 'tcp',
  needs: ['dns', 'proxy', 'config'],
  limitMs: 15_000,
  target: (patient) => (patient.hasConfig ? patient.firstHop.label : 'relay'),
  run: async (patient, signal) => {
    const { host, port, label } = patient.firstHop;
    const began = patient.clock.monotonic();
    const socket = connect({ host, port, signal });
    try {
      await once(socket, 'connect');
      const ms = Math.round(patient.clock.monotonic() - began);
      const details = `connected to ${socket.remoteAddress} from ${socket.localAddress} (${ms} ms)`;
      return [{ target: label, state: 'ok', details }];
    } catch (error) {
      return [refused(label, error)];
    } finally {
      // What comes after the end of the check is nobody's.
      socket.on('error', () => {}).destroy();
    }
  },
};

function refused(target: string, error: unknown): Finding {
  const failure = error instanceof Error ? error : new Error(String(error));
  const code = (failure as NodeJS.ErrnoException).code ?? '';
  return {
    target,
    state: 'failed',
    details: `no connection: ${describeFailure(failure)}`,
    advice: advices[code] ?? 'see whether a firewall on this device or in its network forbids it',
  };
}

const unreachable = 'see to this device’s network: cable, Wi-Fi or SIM, address, default route';
const advices: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'nothing listens there, or a firewall refuses for it: check the port, and that the relay runs and listens on other addresses than loopback',
  ETIMEDOUT:
    'nothing answers: a firewall drops it, or the address is wrong; have outgoing TCP to this port opened',
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  EADDRNOTAVAIL: unreachable,
  ECONNRESET: 'something on the way breaks it off: look for a firewall that filters by address',
};
