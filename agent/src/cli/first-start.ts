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
 * @throws EnrolError where the relay has refused, KeyError.
 */
export async function enrolAtFirstStart(
  settings: EnrolSettings,
  host: CliHost,
  log: Logger,
): Promise<void> {
  const code = host.env[enrollCodeVariable];
  if (!code) return;
  const { keyFile, relay, enrollUrl, device, ca, insecure } = settings;
  if (existsSync(keyFile))
    return log.debug({ keyFile }, 'the device has a key: the code is not used');
  const place = enrollUrl ?? relay;
  if (place === undefined) throw new EnrolError('there is no relay to enrol at: set "relay"');
  const address = enrolAddress(place, insecure);
  const secureContext = relayTrust(ca);
  const { env } = host;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const enrolled = await enrolDevice({
        ...{ address, code, device, keyFile, insecure, secureContext, env },
        clock: systemClock,
      });
      return log.info(enrolled, 'device enrolled');
    } catch (error) {
      if (!(error instanceof EnrolError) || error.isFinal) throw error;
      const waitMs = waitAfter(error, attempt, settings);
      log.warn({ detail: error.message, waitMs }, 'enrolment failed; it is tried again');
      await new Promise<void>((done) => systemClock.after(waitMs, done));
    }
  }
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
