import { expect, test } from 'vitest';
import type { Device, LinkRecord } from '../registry/registry.ts';
import { link, profile } from '../registry/registry-sample.ts';
import { deviceSpan, flapping, flapsOfLinks } from './device-span.ts';

const clock = { now: 1_000_000, lostSince: 0 };
const of = (...links: LinkRecord[]): Device => ({ record: profile, links });
const spanOf = (device: Device) =>
  deviceSpan(
    device,
    ({ closedAt, connectedAt }) =>
      closedAt === undefined ? { lastProofAt: connectedAt, proofDueAt: 2_000_000 } : undefined,
    clock,
  );
const at = (from: number, to?: number, instance = 'main'): LinkRecord =>
  link({
    instance,
    connectedAt: from,
    ...(to === undefined ? undefined : { closedAt: to, closedWhy: 'shutdown' }),
  });

test('a device without a link has no span', () => {
  expect(spanOf(of())).toBeUndefined();
});

test('one that is there is so since its links followed one another', () => {
  expect(spanOf(of(at(500)))).toEqual({ presence: 'connected', since: 500, instance: 'main' });
  expect(spanOf(of(link({ connectedAt: 900, upSince: 200 })))).toMatchObject({ since: 200 });
});

test('instances that overlap are one span, those with a pause between them are not', () => {
  const [a, b] = [at(300, 320, 'a'), at(310, undefined, 'b')];
  expect(spanOf(of(a, b))).toMatchObject({ presence: 'connected', since: 300, instance: 'a' });
  expect(spanOf(of(at(300, 305, 'a'), b))).toMatchObject({ since: 310, instance: 'b' });
  expect(spanOf(of(at(100, 200, 'c'), a, b))).toMatchObject({ since: 300 });
});

test('one that is gone is so since its last link went, and why that was', () => {
  const gone = spanOf(of(at(100, 400, 'a'), at(200, 300, 'b')));
  expect(gone).toEqual({ presence: 'offline', since: 400, why: 'shutdown', instance: 'a' });
});

test('a revoked one is offline since then, whatever links it has', () => {
  const device = { ...of(at(100)), record: { ...profile, revokedAt: 700 } };
  expect(spanOf(device)).toMatchObject({ presence: 'offline', since: 700, why: 'revoked' });
});

test('one instance that came four times within a minute flaps, until it has been quiet for as long', () => {
  const restless = of(link({ connectedAt: 50_000, ups: [10_000, 20_000, 30_000, 50_000] }));
  const span = { presence: 'connected', since: 50_000, instance: 'main' } as const;
  expect(flapping(restless, span, 60_000)).toBe(7);
  expect(flapping(restless, span, 110_000)).toBe(0);
  const calm = of(link({ connectedAt: 50_000, ups: [20_000, 30_000, 50_000] }));
  expect(flapping(calm, span, 60_000)).toBe(0);
  const gone = { presence: 'offline', since: 55_000, instance: 'main' } as const;
  expect(flapping(calm, gone, 60_000)).toBe(6);
});

test('how often it went in the last hour is told by when its instances came', () => {
  const now = 10_000_000;
  const ups = [100, now - 3_000_000, now - 2_000_000, now - 1_000];
  expect(flapsOfLinks(of(link({ ups })), now)).toBe(3);
  expect(flapsOfLinks(of(link({ ups, closedAt: now - 10 })), now)).toBe(4);
  expect(flapsOfLinks(of(link({ ups: [now - 5] })), now)).toBe(0);
  expect(flapsOfLinks(of(link()), now)).toBe(0);
});
