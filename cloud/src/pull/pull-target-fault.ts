import { PullFault } from '@pullwire/shared';
import type { OfflineInfo, PullableDevice } from './pull-target.ts';

/** No link of the device takes pulls for this source: it has none, or is draining. */
export function noTarget(device: PullableDevice, source: string): PullFault {
  const draining = device.targets.some((target) => target.hasSource(source));
  return draining
    ? new PullFault('agent-draining', 'lookup', {
        detail: 'the agent of this device is shutting down; its next link is expected soon',
        retryAfterMs: 2_000,
      })
    : new PullFault('source-unknown', 'lookup', {
        detail: `the device has no source "${source}"`,
      });
}

/** Why a device is offline that its operator has revoked. */
export const revokedWhy = 'revoked';

/** The device has no link; since when, and how its last one ended. */
export function offline(info: OfflineInfo): PullFault {
  const since = info.since === undefined ? undefined : new Date(info.since).toISOString();
  const detail =
    since === undefined
      ? 'the device has never connected'
      : `the device is offline since ${since} (${info.why})`;
  return new PullFault('device-offline', 'lookup', {
    detail,
    // A revoked one does not come back by itself.
    ...(info.why === revokedWhy ? undefined : { retryAfterMs: 5_000 }),
    ...(since === undefined ? undefined : { extra: { since, why: info.why } }),
  });
}

/** As many pulls as a link may have are on the least loaded one. */
export function linkFull(inFlight: number): PullFault {
  return new PullFault('link-full', 'send', {
    detail: `${inFlight} pulls are already in flight on the device's link (limits.pullsPerLink)`,
    retryAfterMs: 1_000,
  });
}
