import { PullFault } from '@pullwire/shared';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DeviceRecord } from '../registry/registry.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { AgentAdmission } from './agent-admission.ts';
import type { AgentIdentity } from './agent-token.ts';

const record: DeviceRecord = {
  device: 'plant-7',
  publicKey: 'ed25519:old',
  nextKey: 'ed25519:new',
  rotationAskedAt: 5,
  labels: { site: 'north' },
  createdAt: 1,
};

const identity: AgentIdentity = {
  device: 'plant-7',
  instance: 'main',
  keyId: 'k',
  publicKey: 'ed25519:old',
  signedBy: 'key',
  tokenId: 'one',
  expiresAt: 100,
};

let spent: Set<string>;
let promoted: string[];
let added: DeviceRecord[];
let promotes: boolean;
let admission: AgentAdmission;

beforeEach(() => {
  spent = new Set();
  promoted = [];
  added = [];
  promotes = true;
  admission = new AgentAdmission({
    tokens: {
      spend: (device, tokenId) => {
        const before = spent.size;
        spent.add(`${device} ${tokenId}`);
        return spent.size > before;
      },
    },
    registry: {
      promoteKey: async (_device, key) => {
        promoted.push(key);
        return promotes;
      },
      addDevice: async (device) => {
        if (device.device === 'own-key') throw new RegistryError('conflict', 'another key');
        added.push(device);
        return 'known';
      },
    },
  });
});

const refused = (code: string) => ({ code: 'link-unauthenticated', cause: { code } });

describe('an agent with a valid token', () => {
  it('is admitted once by it', async () => {
    expect(await admission.admit({ identity, record })).toBe(record);
    await expect(admission.admit({ identity, record })).rejects.toMatchObject(
      refused('token-replayed'),
    );
    await admission.admit({ identity: { ...identity, tokenId: 'two' }, record });
    expect(promoted).toEqual([]);
  });

  it('of the next key makes it the key of its device', async () => {
    const signed = { ...identity, signedBy: 'next-key', publicKey: 'ed25519:new' } as const;
    expect(await admission.admit({ identity: signed, record })).toEqual({
      device: 'plant-7',
      publicKey: 'ed25519:new',
      labels: { site: 'north' },
      createdAt: 1,
    });
    expect(promoted).toEqual(['ed25519:new']);
  });

  it('of a next key that holds no more is refused', async () => {
    promotes = false;
    const signed = { ...identity, signedBy: 'next-key' } as const;
    await expect(admission.admit({ identity: signed, record })).rejects.toMatchObject(
      refused('signature-wrong'),
    );
  });

  it('of an issuer becomes known, and may come again with the same token', async () => {
    const vouched = { ...identity, signedBy: 'issuer', tokenId: undefined } as const;
    await admission.admit({ identity: vouched, record });
    await admission.admit({ identity: vouched, record });
    expect(added).toEqual([record, record]);
  });

  it('of an issuer is refused for a device with a key of its own', async () => {
    const vouched = { ...identity, signedBy: 'issuer', tokenId: undefined } as const;
    const own = { ...record, device: 'own-key' };
    await expect(admission.admit({ identity: vouched, record: own })).rejects.toMatchObject(
      refused('device-unknown'),
    );
  });

  it('is told to come again where its token cannot be noted', async () => {
    const busy = new PullFault('too-many-attempts', 'caller-auth', { detail: 'busy' });
    const down = new RegistryError('unavailable', 'down');
    for (const [error, code] of [
      [busy, 'too-many-attempts'],
      [down, 'registry-unavailable'],
    ] as const) {
      const failing = new AgentAdmission({
        tokens: { spend: () => Promise.reject(error) },
        registry: { promoteKey: async () => true, addDevice: async () => 'known' },
      });
      await expect(failing.admit({ identity, record })).rejects.toMatchObject({ code });
    }
  });
});
