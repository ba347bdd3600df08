import { existsSync } from 'node:fs';
import { systemClock } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { EnrolSettings } from '../config/load-config.ts';
import { enrolAddress } from '../identity/enrol-address.ts';
import { enrolDevice } from '../identity/enrol-device.ts';
import { EnrolError } from '../identity/enrol-error.ts';
import { type LinkEnd, redial } from '../link/redial-policy.ts';
import { relayTrust } from '../link/relay-trust.ts';
import type { CliHost } from './cli-host.ts';
import { enrollCodeVariable } from './enroll-command.ts';

/**
 * A device without a key enrols before its first link, by the code in its environment; it tries until the relay has
 * decided. A device that has a key has no use for a code, and a container keeps its environment.
 *
 * Resolves with whether the device may go on: false where `stop` ended the waiting. A try that `stop` breaks off loses
 * nothing: the key it was made with is on the disk, and the next start goes on with it.
 *
 * @throws EnrolError where the relay has refused, KeyError.
 */
export async function enrolAtFirstStart(
  settings: EnrolSettings,
  host: CliHost,
  log: Logger,
  stop: AbortSignal,
): Promise<boolean> {
  const code = host.env[enrollCodeVariable];
  if (!code) return true;
  const { keyFile, relay, enrollUrl, device, ca, insecure } = settings;
  if (existsSync(keyFile)) {
    log.debug({ keyFile }, 'the device has a key: the code is not used');
    return true;
  }
  const place = enrollUrl ?? relay;
  if (place === undefined) throw new EnrolError('there is no relay to enrol at: set "relay"');
  const address = enrolAddress(place, insecure);
  const secureContext = relayTrust(ca);
  const { env } = host;
  for (let attempt = 0; !stop.aborted; attempt += 1) {
    try {
      const enrolled = await enrolDevice({
        ...{ address, code, device, keyFile, insecure, secureContext, env },
        clock: systemClock,
        signal: stop,
      });
      log.info(enrolled, 'device enrolled');
      return true;
    } catch (error) {
      if (!(error instanceof EnrolError) || error.isFinal) throw error;
      if (stop.aborted) break;
      const waitMs = waitAfter(error, attempt, settings);
      log.warn({ detail: error.message, waitMs }, 'enrolment failed; it is tried again');
      await waitOrStop(waitMs, stop);
    }
  }
  return false;
}

async function waitOrStop(ms: number, stop: AbortSignal): Promise<void> {
  const done = Promise.withResolvers<void>();
  const timer = systemClock.after(ms, done.resolve);
  stop.addEventListener('abort', () => done.resolve(), { once: true });
  await done.promise;
  timer.cancel();
}

/** Milliseconds until the next try. */
export function waitAfter(
  error: EnrolError,
  attempt: number,
  settings: Pick<EnrolSettings, 'redial'>,
): number {
  const { message: reason, retryAfterMs } = error;
  // The usual policy bounds what a relay may ask for; a timer beyond 2^31 ms would fire at once.
  const end: LinkEnd =
    retryAfterMs === undefined
      ? { cause: 'unreachable', reason }
      : { cause: 'refused', status: 503, retryAfterMs };
  const input = { end, livedMs: 0, attempt, random: Math.random() };
  const next = redial(input, settings.redial);
  return 'waitMs' in next ? next.waitMs : settings.redial.capMs;
}
