import type { OfflineInfo, PullableDevice } from '../pull/pull-target.ts';
import type { Device } from '../registry/registry.ts';
import { type PresenceClock, presenceOf } from './presence.ts';

/** Since when, and why, a device without a live link is offline; of a revoked one, since then and `revoked`. */
export function offlineInfo(device: Device, clock: PresenceClock): OfflineInfo {
  const { since, why, presence } = presenceOf(device, () => undefined, clock);
  if (presence === 'never-seen' || since === undefined) return { since: undefined, why: presence };
  return { since: Date.parse(since), why: why ?? 'link-lost' };
}

/** A device as a pull sees it that takes none: it has no live link, or was revoked, whatever links it has. */
export function offlineDevice(device: Device, clock: PresenceClock): PullableDevice {
  const { record } = device;
  return {
    device: record.device,
    labels: record.labels,
    targets: [],
    offline: offlineInfo(device, clock),
  };
}
