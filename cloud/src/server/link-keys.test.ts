import { expect, test } from 'vitest';
import type { DeviceRecord } from '../registry/registry.ts';
import { LinkKeys } from './link-keys.ts';

const record = (publicKey: string, nextKey?: string): DeviceRecord => ({
  device: 'plant-7',
  publicKey,
  labels: {},
  createdAt: 0,
  ...(nextKey === undefined ? {} : { nextKey }),
});

test('a link is its device’s while the key is the one that opened it', () => {
  const keys = new LinkKeys('k1', record('k1'));
  expect(keys.hold(record('k1'))).toBe(true);
  expect(keys.hold(record('other'))).toBe(false);
});

test('a key that the device offered takes over, and ends no link', () => {
  const keys = new LinkKeys('k1', record('k1'));
  keys.add('k2');
  expect(keys.hold(record('k1', 'k2'))).toBe(true);
  expect(keys.hold(record('k2'))).toBe(true);
});

test('an offered key that only the registry knows of takes over too', () => {
  const opened = new LinkKeys('k1', record('k1', 'k2'));
  expect(opened.hold(record('k2'))).toBe(true);
  const checked = new LinkKeys('k1', record('k1'));
  expect(checked.hold(record('k1', 'k2'))).toBe(true);
  expect(checked.hold(record('k2'))).toBe(true);
});

test('a record that was read before the next key took over ends no link that this one opened', () => {
  const keys = new LinkKeys('k2', record('k2'));
  expect(keys.hold(record('k1', 'k2'))).toBe(true);
  expect(keys.hold(record('k1'))).toBe(false);
});

test('a link lives through any number of rotations', () => {
  const keys = new LinkKeys('k0', record('k0'));
  for (let n = 1; n <= 20; n += 1) {
    keys.add(`k${n}`);
    expect(keys.hold(record(`k${n}`))).toBe(true);
  }
});
