import { request as requestInClear } from 'node:http';
import { request as requestByTls } from 'node:https';
import type { HeardDate } from '../link/relay-clock.ts';
import type { Patient } from './patient.ts';

/**
 * The `Date` of an answer from where the agent dials, to a request without a token and without an upgrade. Its
 * certificate is not checked, because a clock that is off would refuse it: what is heard is a hint for people, and
 * nothing is let in by it. Undefined where no date is told; never rejects.
 */
export function hearDate(patient: Patient, signal: AbortSignal): Promise<HeardDate | undefined> {
  const { relay, isSecure, secureContext, clock } = patient;
  const tunnel = patient.tunnel();
  const { promise, resolve } = Promise.withResolvers<HeardDate | undefined>();
  const asked = (isSecure ? requestByTls : requestInClear)({
    host: relay.hostname.replace(/^\[|\]$/g, ''),
    port: relay.port || (isSecure ? 443 : 80),
    path: relay.pathname,
    agent: tunnel?.agent ?? false,
    rejectUnauthorized: false,
    ...(isSecure && { secureContext }),
  });
  let sentAt = clock.monotonic();
  asked.once('finish', () => {
    sentAt = clock.monotonic();
  });
  asked.once('response', ({ headers: { date } }) => {
    const roundTripMs = clock.monotonic() - sentAt;
    resolve(date === undefined ? undefined : { date, atMs: clock.wall(), roundTripMs });
  });
  asked.on('error', () => resolve(undefined));
  signal.addEventListener('abort', () => resolve(undefined));
  asked.end();
  return promise.finally(() => {
    asked.destroy();
    tunnel?.close();
  });
}
