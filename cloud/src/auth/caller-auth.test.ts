import { systemClock } from '@pullwire/shared';
import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyRecord } from '../registry/registry.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { CallerAuth } from './caller-auth.ts';
import { generateCallerKey } from './caller-key.ts';

const now = 1_800_000_000_000;
let wall = now;
let reads = 0;
let down = false;
let records: Map<string, KeyRecord>;
let auth: CallerAuth;
beforeEach(() => {
  [wall, reads, down, records] = [now, 0, false, new Map()];
  const keyByHash = async (hash: string) => {
    reads += 1;
    if (down) throw new RegistryError('unavailable', 'down');
    return records.get(hash);
  };
  auth = new CallerAuth({ registry: { keyByHash }, clock: { ...systemClock, wall: () => wall } });
});

function addKey(changes: Partial<KeyRecord> = {}): string {
  const { id, key, hash, prefix } = generateCallerKey();
  const grants = [{ devices: ['plant-*'], sources: ['*'], methods: ['GET'] }];
  records.set(hash, { id, name: 'ops', hash, prefix, grants, createdAt: now, ...changes });
  return key;
}

const refused = (reason: string) => ({
  code: 'caller-unauthenticated',
  stage: 'caller-auth',
  cause: { code: reason },
});

/** The fault, whether it is thrown or comes later. */
async function faultOf(headers: readonly string[]): Promise<unknown> {
  try {
    await auth.authenticate(headers);
  } catch (error) {
    return error;
  }
  throw new Error('the caller was let in');
}

describe('a caller', () => {
  it('is known by its Pullwire-Key, the second time at once', async () => {
    const headers = ['Host', 'relay', 'pullwire-KEY', addKey()];
    const caller = await auth.authenticate(headers);
    expect(caller).toMatchObject({ name: 'ops', credential: 'pullwire-key' });
    expect(caller.grants.allows('plant-7', {}, 'metrics', 'GET')).toBe('allowed');
    expect(auth.authenticate(headers)).toBe(caller);
    expect(reads).toBe(1);
  });

  it.each(['Bearer', 'bearer', 'BEARER'])('is known by Authorization: %s', async (scheme) => {
    const caller = await auth.authenticate(['authorization', `${scheme} ${addKey()}`]);
    expect(caller.credential).toBe('authorization');
  });

  it("with both headers is the one of Pullwire-Key: the other one is the upstream's", async () => {
    const headers = ['Authorization', 'Bearer something-else', 'Pullwire-Key', addKey()];
    expect((await auth.authenticate(headers)).credential).toBe('pullwire-key');
    const other = ['Authorization', `Bearer ${addKey()}`, 'Pullwire-Key', 'nonsense'];
    expect(await faultOf(other)).toMatchObject(refused('key-malformed'));
  });

  it.each([
    ['key-missing', []],
    ['key-missing', ['Authorization', 'Basic b3BzOnB3']],
    ['key-missing', ['X-Pullwire-Key', 'pwk_abcdef_x']],
    ['key-malformed', ['Pullwire-Key', '']],
    ['key-malformed', ['Authorization', 'Bearer eyJhbGciOiJub25lIn0.e30.']],
  ])('without a key is refused with %s, and no look-up', async (reason, headers) => {
    expect(await faultOf(headers)).toMatchObject(refused(reason));
    expect(reads).toBe(0);
  });

  it('with an unknown, revoked or expired key is refused', async () => {
    const unknown = generateCallerKey().key;
    expect(await faultOf(['Pullwire-Key', unknown])).toMatchObject(refused('key-unknown'));
    const revoked = addKey({ revokedAt: now - 1 });
    expect(await faultOf(['Pullwire-Key', revoked])).toMatchObject(refused('key-revoked'));
    const expired = addKey({ expiresAt: now / 1_000 });
    expect(await faultOf(['Pullwire-Key', expired])).toMatchObject(refused('key-expired'));
  });

  it('is refused from the second on in which its key expires, cached or not', async () => {
    const headers = ['Pullwire-Key', addKey({ expiresAt: now / 1_000 + 2 })];
    await auth.authenticate(headers);
    wall = now + 1_999;
    expect(auth.authenticate(headers)).not.toBeInstanceOf(Promise);
    wall = now + 2_000;
    expect(await faultOf(headers)).toMatchObject(refused('key-expired'));
    expect(reads).toBe(1);
  });

  it('is refused at most 10 seconds after its key was revoked, and at once after `clear`', async () => {
    const headers = ['Pullwire-Key', addKey()];
    await auth.authenticate(headers);
    for (const [hash, record] of records) records.set(hash, { ...record, revokedAt: now });
    wall = now + 4_999;
    expect((await auth.authenticate(headers)).name).toBe('ops');
    wall = now + 10_000;
    expect(await faultOf(headers)).toMatchObject(refused('key-revoked'));
    for (const [hash, record] of records) records.set(hash, { ...record, revokedAt: 1 });
    auth.clear();
    expect(await faultOf(headers)).toMatchObject(refused('key-revoked'));
  });

  it('gets 503 while the registry cannot be read, and not 401', async () => {
    down = true;
    expect(await faultOf(['Pullwire-Key', addKey()])).toMatchObject({
      code: 'registry-unavailable',
    });
  });

  it('never finds its key in an error', async () => {
    const key = generateCallerKey().key;
    for (const headers of [
      ['Pullwire-Key', key],
      ['Pullwire-Key', `${key}x`],
      ['Authorization', `Bearer ${key}x`],
    ]) {
      const fault = await faultOf(headers);
      expect(fault).toBeInstanceOf(Error);
      const { message, stack, cause } = fault as Error;
      expect(`${message} ${stack} ${String(cause)} ${(cause as Error).stack}`).not.toContain(key);
    }
  });
});
