import { publicKeyText } from '../identity/device-key.ts';
import { cureOf } from '../link/final-refusal.ts';
import { describeEnd, type LinkEnd } from '../link/redial-policy.ts';
import type { Check, Finding } from './check.ts';
import type { Handshake } from './handshake.ts';
import type { Patient } from './patient.ts';
import { isTakenByGateway } from './websocket-check.ts';

/** Whether the relay took the token of the handshake. */
export const authenticationCheck: Check = {
  component: 'authentication',
  needs: ['websocket', 'key', 'tls', 'config'],
  limitMs: 1_000,
  target: (patient) => (patient.hasConfig ? patient.config.device : 'device'),
  run: async (patient) => {
    const { handshake } = patient;
    if (handshake === undefined) throw new Error('no handshake was tried');
    return [judged(patient, handshake)];
  },
};

function judged(patient: Patient, handshake: Handshake): Finding {
  const { answer } = handshake;
  const target = patient.config.device;
  if (answer === 'open' || isTakenByGateway(answer)) return accepted(patient, handshake);
  const status = answer.cause === 'refused' ? answer.status : undefined;
  if (status === 403) return revoked(patient, handshake, answer);
  if (status === 401) return unknown(patient, handshake);
  return { target, state: 'skipped', details: `not decided: ${describeEnd(answer)}` };
}

function accepted(patient: Patient, { signedBy }: Handshake): Finding {
  const target = patient.config.device;
  const details = `accepted: ${credentialOf(patient, signedBy)}; no link was opened, a running agent keeps its own`;
  return { target, state: 'ok', details };
}

function revoked(patient: Patient, { remark }: Handshake, answer: LinkEnd): Finding {
  const { device } = patient.config;
  const words = remark === undefined ? '' : `, and says: "${remark}"`;
  if (answer.cause === 'refused' && answer.byRelay === true) {
    const details = `the device was revoked: the relay answered 403${words}`;
    return { target: device, state: 'failed', details, advice: cureOf(answer, device) };
  }
  const details = `answered 403, which does not say whose answer it is: on AWS a revoked device gets it, elsewhere a firewall sends it${words}`;
  const advice = `on the relay's side run: pullwire-relay device list. Where ${device} is revoked there: ${cureOf(answer, device)} Else look for a firewall`;
  return { target: device, state: 'failed', details, advice };
}

/** Of a device or key that is not known the relay says no more than that: whoever has neither must not learn which. */
function unknown(patient: Patient, { remark, signedBy }: Handshake): Finding {
  const { device, audience } = patient.config;
  const words = remark === undefined ? '' : `: "${remark}"`;
  const details = `the relay answered 401${words} (${credentialOf(patient, signedBy)}, audience ${audience})`;
  const known = 'on the relay’s side run: pullwire-relay device list';
  const advice =
    signedBy === 'issuer'
      ? `${known}; see that the token has not expired, and that its issuer is among the relay’s issuers`
      : `${known}. Where the device or this key is missing: enrol it anew (pullwire-relay enroll-code --device ${device} --replace, then pullwire-agent enroll); where both are there, compare the audience with the relay’s`;
  return { target: device, state: 'failed', details, advice };
}

function credentialOf({ keys }: Patient, signedBy: Handshake['signedBy']): string {
  if (keys === undefined) return "an issuer's token";
  const key = signedBy === 'next-key' ? (keys.next ?? keys.current) : keys.current;
  return `key ${publicKeyText(key)}${signedBy === 'next-key' ? ' (the next one)' : ''}`;
}
