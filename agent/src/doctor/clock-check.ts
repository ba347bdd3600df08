import { readCertificateDates } from '../link/certificate-dates.ts';
import type { Check, Finding } from './check.ts';
import type { Patient } from './patient.ts';
import { hearDate } from './relay-date.ts';

/** The agent says so in its log from here on. */
const noteworthyMs = 30_000;

const advice = 'set the clock of this device, and keep it right: timedatectl set-ntp true';

/** This device's clock beside the relay's, and whether the difference is in the way of TLS. */
export const clockCheck: Check = {
  component: 'clock',
  needs: ['tunnel', 'tcp', 'dns', 'config'],
  limitMs: 15_000,
  target: () => 'this device',
  run: async (patient, signal) => {
    const heard = await hearDate(patient, signal);
    if (heard === undefined || patient.relayClock.learn(heard) === undefined) {
      const details = 'the relay told no time to compare with';
      return [{ target: 'this device', state: 'skipped', details }];
    }
    return [await compared(patient, signal)];
  },
};

async function compared(patient: Patient, signal: AbortSignal): Promise<Finding> {
  const target = 'this device';
  const { offsetMs } = patient.relayClock;
  const seconds = Math.round(Math.abs(offsetMs) / 1_000);
  if (Math.abs(offsetMs) <= noteworthyMs) {
    const details =
      seconds === 0 ? 'agrees with the relay’s' : `within ${seconds} s of the relay’s`;
    return { target, state: 'ok', details };
  }
  const off = `${inWords(seconds)} ${offsetMs > 0 ? 'behind' : 'ahead of'} the relay’s`;
  const times = `${iso(patient.clock.wall())} here, ${iso(patient.relayClock.now())} there`;
  if (await isBetweenUsAndTheRelay(patient, signal)) {
    const details = `${off} (${times}): by it, the relay’s certificate is not valid, and the agent cannot link`;
    return { target, state: 'failed', details, advice };
  }
  const details = `${off} (${times}): links open all the same, because tokens are made by the relay’s time, and certificates are valid by both; times in logs and readings are wrong`;
  return { target, state: 'warning', details, advice };
}

/** Whether a certificate is outside its dates by our clock, and inside by the relay's. */
async function isBetweenUsAndTheRelay(patient: Patient, signal: AbortSignal): Promise<boolean> {
  if (!patient.isSecure) return false;
  const { relay: url, secureContext, clock, relayClock } = patient;
  const way = { url, secureContext, tunnel: patient.tunnel(), clock, signal };
  const chain = await readCertificateDates(way);
  const isValidAt = (now: number): boolean =>
    chain.every(({ notBeforeMs, notAfterMs }) => now >= notBeforeMs && now <= notAfterMs);
  return !isValidAt(clock.wall()) && isValidAt(relayClock.now());
}

function inWords(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} minutes`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} hours`;
  return `${Math.round(seconds / 86_400)} days`;
}

const iso = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
