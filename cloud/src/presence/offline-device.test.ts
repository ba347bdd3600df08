import { describe, expect, test } from 'vitest';
import { offline } from '../pull/pull-target-fault.ts';
import { offlineDevice } from './offline-device.ts';

const record = { device: 'plant-7', publicKey: 'ed25519:x', labels: { site: 'b' }, createdAt: 0 };
const clock = { now: 10_000, lostSince: 5_000 };

describe('an offline device', () => {
  test('that was never seen has no since', () => {
    const device = offlineDevice({ record, links: [] }, clock);
    expect(device).toMatchObject({ device: 'plant-7', labels: { site: 'b' }, targets: [] });
    expect(device.offline).toEqual({ since: undefined, why: 'never-seen' });
    expect(offline(device.offline)).toMatchObject({ code: 'device-offline', retryAfterMs: 5_000 });
  });

  test('that was revoked says so to a pull, and names no time to come again', () => {
    const device = offlineDevice({ record: { ...record, revokedAt: 8_000 }, links: [] }, clock);
    const fault = offline(device.offline);
    expect(fault).toMatchObject({ code: 'device-offline', status: 503, retryAfterMs: undefined });
    expect(fault.extra).toEqual({ since: '1970-01-01T00:00:08.000Z', why: 'revoked' });
    expect(fault.message).toContain('(revoked)');
  });
});
