import { ProxyError, proxyFor, withoutCredentials } from '../link/proxy.ts';
import type { Check, Finding } from './check.ts';
import type { Patient } from './patient.ts';

/** Which proxy the environment names for the relay. */
export const proxyCheck: Check = {
  component: 'proxy',
  needs: ['config'],
  limitMs: 1_000,
  target: () => 'environment',
  run: async (patient) => {
    try {
      return [found(patient)];
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      const advice = 'correct the variable where the agent is started, such as in its systemd unit';
      return [{ target: 'environment', state: 'failed', details: error.message, advice }];
    }
  },
};

/** @throws ProxyError */
function found(patient: Patient): Finding {
  const { proxy, relay, env } = patient;
  if (proxy !== undefined) {
    const details = `the environment names it for ${relay.host}`;
    return { target: withoutCredentials(proxy), state: 'ok', details };
  }
  const exempt = proxyFor(relay, { ...env, no_proxy: undefined, NO_PROXY: undefined });
  const details =
    exempt === undefined
      ? 'none is named: the relay is dialled directly'
      : `NO_PROXY exempts ${relay.host} from ${withoutCredentials(exempt)}: it is dialled directly`;
  return { target: 'environment', state: 'ok', details };
}
