import { checkServerIdentity, type DetailedPeerCertificate } from 'node:tls';
import { isLoopback } from '../config/loopback.ts';
import { explainOutsideDates, isOutsideDates } from '../link/certificate-dates.ts';
import { describeFailure } from '../link/link-socket.ts';
import { type ShownCertificate, showCertificate } from '../link/shown-certificate.ts';
import { isPublicAuthority, nameOf, topOf } from './certificate-names.ts';
import type { Check, Finding } from './check.ts';
import type { Patient } from './patient.ts';

/** Of a certificate's life: when less is left it should have been renewed; and never longer than this before its end. */
const renewal = { lifePart: 0.1, longestMs: 14 * 86_400_000 };

/** What the relay shows, and what the agent's trust makes of it. */
export const tlsCheck: Check = {
  component: 'tls',
  needs: ['clock', 'tunnel', 'tcp', 'dns', 'config'],
  limitMs: 15_000,
  target: (patient) => (patient.hasConfig ? patient.relay.host : 'relay'),
  run: async (patient, signal) => {
    const target = patient.relay.host;
    if (!patient.isSecure) return [inTheClear(patient.relay)];
    try {
      const shown = await showCertificate(wayOf(patient, signal));
      if (shown.verdict === undefined) return [trusted(patient, shown)];
      return [
        { target, state: 'failed', ...(await whyNot(patient, shown.own, shown.verdict, signal)) },
      ];
    } catch (error) {
      const details = `no TLS: ${describeFailure(error as Error)}`;
      const advice =
        'see that TLS is spoken at this port, by version 1.2 or newer, and that no firewall ends it by the name in it (SNI)';
      return [{ target, state: 'failed', details, advice }];
    }
  },
};

const wayOf = (patient: Patient, signal: AbortSignal) => ({
  url: patient.relay,
  secureContext: patient.secureContext,
  tunnel: patient.tunnel(),
  clock: patient.clock,
  signal,
});

function inTheClear({ host: target, hostname }: URL): Finding {
  if (isLoopback(hostname))
    return { target, state: 'skipped', details: 'not used: ws:// on loopback' };
  return {
    target,
    state: 'warning',
    details:
      'not used: the relay is dialled by ws://, and the token and all data can be read on the way',
    advice: 'dial it by wss:// (setting relay), and take "insecure" out of the configuration',
  };
}

function trusted(patient: Patient, { own, protocol }: ShownCertificate): Finding {
  const target = patient.relay.host;
  const root = topOf(own);
  const details = `${described(own)}; ${protocol}`;
  if (patient.config.ca === undefined && !isPublicAuthority(root)) {
    return {
      target,
      state: 'warning',
      details: `${details}. Its authority is ${nameOf(root.subject)}, which this device was told to trust (NODE_EXTRA_CA_CERTS or the system's): whoever holds it can read everything`,
      advice: `if that is a proxy which opens TLS, have ${target} exempted from it; if it is the relay's own authority, name it in the setting ca`,
    };
  }
  if (!isDue(own, patient.clock.wall())) return { target, state: 'ok', details };
  const advice = 'have the relay’s operator see why the certificate was not renewed yet';
  return { target, state: 'warning', details: `${details}: it ends soon`, advice };
}

function isDue({ valid_from, valid_to }: DetailedPeerCertificate, now: number): boolean {
  const life = Date.parse(valid_to) - Date.parse(valid_from);
  return Date.parse(valid_to) - now < Math.min(life * renewal.lifePart, renewal.longestMs);
}

async function whyNot(
  patient: Patient,
  own: DetailedPeerCertificate,
  verdict: string,
  signal: AbortSignal,
): Promise<{ details: string; advice: string }> {
  const error = Object.assign(new Error(verdict), { code: verdict });
  if (isOutsideDates(error)) {
    return {
      details: await explainOutsideDates(error, wayOf(patient, signal)),
      advice: 'the clock is right: have the relay’s operator renew the certificate',
    };
  }
  const host = patient.relay.hostname.replace(/^\[|\]$/g, '');
  const misnamed = checkServerIdentity(host, own) !== undefined;
  if (verdict === 'ERR_TLS_CERT_ALTNAME_INVALID') return wrongName(own, host);
  return unknownIssuer(patient, own, verdict, misnamed);
}

function wrongName(own: DetailedPeerCertificate, host: string) {
  const names = own.subjectaltname ?? 'no name at all';
  return {
    details: `the certificate is for ${names}, and not for ${host} (${described(own)})`,
    advice:
      'dial the relay by a name that its certificate has (setting relay); where the certificate is not the relay’s, something in between answers for it',
  };
}

/** An authority that is not trusted here: the relay's own, or that of somebody who opens TLS on the way. */
function unknownIssuer(
  patient: Patient,
  own: DetailedPeerCertificate,
  verdict: string,
  misnamed: boolean,
) {
  const { config, relay } = patient;
  const issuer = nameOf(own.issuer);
  const expected =
    config.ca === undefined
      ? 'an authority that this device trusts'
      : 'one in the file of the setting ca';
  const isSelfSigned = verdict === 'DEPTH_ZERO_SELF_SIGNED_CERT';
  const by = isSelfSigned ? `by itself (${issuer})` : `by "${issuer}"`;
  const name = misnamed ? `not for ${relay.hostname}` : `for ${relay.hostname}`;
  return {
    details: `the certificate is ${name}, but was issued ${by}, which is not ${expected} (${verdict}; ${described(own)})`,
    advice: `if "${issuer}" is a proxy or firewall of this network which opens TLS, have ${relay.host} exempted from its inspection; if it is the relay’s own authority, put its certificate into the file that the setting ca names`,
  };
}

function described({ subject, issuer, valid_from, valid_to }: DetailedPeerCertificate): string {
  return `subject ${nameOf(subject)}, issuer ${nameOf(issuer)}, valid from ${day(valid_from)} to ${day(valid_to)}`;
}

function day(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : new Date(ms).toISOString().slice(0, 10);
}
