import { request as requestInClear } from 'node:http';
import { request as requestByTls } from 'node:https';
import { describeFailure } from '../link/link-socket.ts';
import { type Tunnel, withoutCredentials } from '../link/proxy.ts';
import type { Check, Finding } from './check.ts';
import type { Patient } from './patient.ts';

/** Whether the proxy opens a tunnel to the relay. */
export const tunnelCheck: Check = {
  component: 'tunnel',
  needs: ['tcp', 'proxy', 'config'],
  limitMs: 15_000,
  target: (patient) => (patient.hasConfig ? patient.relay.host : 'relay'),
  run: async (patient, signal) => {
    const { proxy } = patient;
    const tunnel = patient.tunnel();
    const target = patient.relay.host;
    if (proxy === undefined || tunnel === undefined) {
      return [{ target, state: 'skipped', details: 'there is no proxy' }];
    }
    const name = withoutCredentials(proxy);
    try {
      await openOnce(patient, tunnel, signal);
    } catch (error) {
      const details = `the proxy ${name} could not be asked: ${describeFailure(error as Error)}`;
      const advice =
        'see that this is the address of an HTTP proxy, and http:// or https:// as it speaks';
      return [{ target, state: 'failed', details, advice }];
    }
    return [answered(target, name, tunnel.refusal())];
  },
};

/** Resolves when the proxy has answered. Nothing is sent through the tunnel but the start of TLS. */
function openOnce({ relay, isSecure }: Patient, tunnel: Tunnel, signal: AbortSignal) {
  const request = isSecure ? requestByTls : requestInClear;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const asked = request({
    host: relay.hostname.replace(/^\[|\]$/g, ''),
    port: relay.port || (isSecure ? 443 : 80),
    agent: tunnel.agent,
    // Whose certificate it is tells the next check.
    rejectUnauthorized: false,
  });
  asked.on('error', reject);
  asked.once('socket', () => resolve());
  signal.addEventListener('abort', () => reject(new Error('no answer in time')));
  return promise.finally(() => {
    asked.destroy();
    tunnel.close();
  });
}

function answered(target: string, proxy: string, refusal: number | undefined): Finding {
  if (refusal === undefined) return { target, state: 'ok', details: `opened by ${proxy}` };
  const details = `the proxy ${proxy} answered ${refusal} to CONNECT ${target}`;
  return { target, state: 'failed', details, advice: adviceFor(refusal, target) };
}

function adviceFor(status: number, target: string): string {
  // Proxy Authentication Required (RFC 9110 §15.5.8).
  if (status === 407) {
    return 'it wants other credentials: put them into the variable, as in http://USER:PASSWORD@proxy:3128 (only Basic is spoken)';
  }
  if (status >= 500) {
    return `the proxy itself cannot reach ${target}: check the relay's name and port, and the proxy's own DNS and route`;
  }
  return `have the proxy's operator allow CONNECT to ${target}`;
}
