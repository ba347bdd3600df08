import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CompactSign } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DeviceRecord } from '../registry/registry.ts';
import { KeyRotation, type OfferingLink } from './key-rotation.ts';

const textOf = (key: KeyObject): string => `ed25519:${key.export({ format: 'jwk' }).x}`;
const next = generateKeyPairSync('ed25519');
const publicKey = textOf(next.publicKey);
const current = textOf(generateKeyPairSync('ed25519').publicKey);
const link: OfferingLink = { device: 'plant-7', publicKey: current, hasOthers: false };

let record: DeviceRecord | undefined;
let offered: string[][];
let raced: boolean;
let rotation: KeyRotation;

beforeEach(() => {
  record = { device: 'plant-7', publicKey: current, labels: {}, createdAt: 1 };
  offered = [];
  raced = false;
  rotation = new KeyRotation({
    registry: {
      deviceRecord: async () => record,
      offerKey: async (...args) => {
        offered.push(args);
        return !raced;
      },
    },
  });
});

async function offer(changes: Partial<OfferingLink> = {}, device = 'plant-7') {
  const payload = JSON.stringify({ key: publicKey, for: `rotate:${device}` });
  const proof = await new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: 'EdDSA', typ: 'pullwire-key+jwt' })
    .sign(next.privateKey);
  const rotated = await rotation.offer(
    { ...link, ...changes },
    { action: 'rotate', publicKey, proof },
  );
  expect(rotated).toMatchObject({ action: 'rotated', publicKey });
  return rotated.refused ?? 'noted';
}

describe('an offered key', () => {
  it('is noted beside the one that holds', async () => {
    expect(await offer()).toBe('noted');
    expect(offered).toEqual([['plant-7', current, publicKey]]);
  });

  it.each([['nextKey'], ['publicKey']])(
    'that is the %s already is noted, and nothing written',
    async (field) => {
      record = { ...(record as DeviceRecord), [field]: publicKey };
      expect(await offer()).toBe('noted');
      expect(offered).toEqual([]);
    },
  );

  it('is refused without a proof for this device', async () => {
    expect(await offer({}, 'plant-8')).toBe('no-proof');
  });

  it('is refused where other instances would lose theirs', async () => {
    expect(await offer({ hasOthers: true })).toBe('other-instances');
  });

  it.each([
    [
      'of a link that another key opened',
      { publicKey: textOf(generateKeyPairSync('ed25519').publicKey) },
    ],
    ['of a link that an issuer opened', { publicKey: undefined }],
  ])('%s is superseded', async (_name, changes) => {
    expect(await offer(changes)).toBe('superseded');
    expect(offered).toEqual([]);
  });

  it('of a device that is not known any more, or whose key changed meanwhile, is superseded', async () => {
    raced = true;
    expect(await offer()).toBe('superseded');
    record = undefined;
    expect(await offer()).toBe('superseded');
  });
});
