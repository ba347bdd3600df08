import { type HeaderList, PullFault, systemClock } from '@pullwire/shared';
import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyRecord } from '../registry/registry.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { AuthError } from './auth-error.ts';
import { CallerAuth, type CallerAuthOptions } from './caller-auth.ts';
import { generateCallerKey, hashCallerKey } from './caller-key.ts';
import type { IssuerCaller } from './issuers.ts';

const now = 1_800_000_000_000;
let wall = now;
let reads = 0;
let down = false;
let records: Map<string, KeyRecord>;
/** Key uses that were noted. */
let uses: [string, number][];
let noted: Promise<unknown>[];
let tokenChecks: string[];
let callerOf: (token: string) => IssuerCaller | undefined;
/** What was checked, and what failed, at the throttle. */
let attempts: { checked: string[][]; failed: string[][] };
let full: boolean;
let auth: CallerAuth;
beforeEach(() => {
  [wall, reads, down, records] = [now, 0, false, new Map()];
  [uses, noted, tokenChecks, attempts, full] = [[], [], [], { checked: [], failed: [] }, false];
  callerOf = () => undefined;
  auth = new CallerAuth(options());
});

function options(): CallerAuthOptions {
  const keyByHash = async (hash: string) => {
    reads += 1;
    if (down) throw new RegistryError('unavailable', 'down');
    return records.get(hash);
  };
  const noteKeyUse = async (hash: string, at: number) => {
    uses.push([hash, at]);
    if (down) throw new RegistryError('unavailable', 'down');
  };
  return {
    registry: { keyByHash, noteKeyUse },
    clock: { ...systemClock, wall: () => wall },
    issuers: {
      caller: async (token) => {
        tokenChecks.push(token);
        return callerOf(token);
      },
    },
    throttle: {
      check: (keys) => {
        attempts.checked.push([...keys]);
        if (full) throw new PullFault('too-many-attempts', 'caller-auth', { detail: 'later' });
      },
      failed: (keys) => void attempts.failed.push([...keys]),
    },
    noteUse: (work) => void noted.push(work),
  };
}

const from = (headers: HeaderList) => ({ headers, remoteAddress: '192.0.2.1' });

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
    await auth.authenticate(from(headers));
  } catch (error) {
    return error;
  }
  throw new Error('the caller was let in');
}

describe('a caller', () => {
  it('is known by its Pullwire-Key, the second time at once', async () => {
    const headers = ['Host', 'relay', 'pullwire-KEY', addKey()];
    const caller = await auth.authenticate(from(headers));
    expect(caller).toMatchObject({ name: 'ops', credential: 'pullwire-key' });
    expect(caller.grants.allows('plant-7', {}, 'metrics', 'GET')).toBe('allowed');
    expect(auth.authenticate(from(headers))).toBe(caller);
    expect(reads).toBe(1);
  });

  it.each(['Bearer', 'bearer', 'BEARER'])('is known by Authorization: %s', async (scheme) => {
    const caller = await auth.authenticate(from(['authorization', `${scheme} ${addKey()}`]));
    expect(caller.credential).toBe('authorization');
  });

  it("with both headers is the one of Pullwire-Key: the other one is the upstream's", async () => {
    const headers = ['Authorization', 'Bearer something-else', 'Pullwire-Key', addKey()];
    expect((await auth.authenticate(from(headers))).credential).toBe('pullwire-key');
    const other = ['Authorization', `Bearer ${addKey()}`, 'Pullwire-Key', 'nonsense'];
    expect(await faultOf(other)).toMatchObject(refused('key-malformed'));
  });

  it.each([
    ['key-missing', []],
    ['key-missing', ['Authorization', 'Basic b3BzOnB3']],
    ['key-missing', ['X-Pullwire-Key', 'pwk_abcdef_x']],
    ['key-malformed', ['Pullwire-Key', '']],
    ['key-malformed', ['Authorization', 'Bearer e30.e30']],
    ['key-malformed', ['Pullwire-Key', `a.b.${'c'.repeat(10_000)}`]],
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
    await auth.authenticate(from(headers));
    wall = now + 1_999;
    expect(auth.authenticate(from(headers))).not.toBeInstanceOf(Promise);
    wall = now + 2_000;
    expect(await faultOf(headers)).toMatchObject(refused('key-expired'));
    expect(reads).toBe(1);
  });

  it('is refused at most 10 seconds after its key was revoked, and at once after `clear`', async () => {
    const headers = ['Pullwire-Key', addKey()];
    await auth.authenticate(from(headers));
    for (const [hash, record] of records) records.set(hash, { ...record, revokedAt: now });
    wall = now + 4_999;
    expect((await auth.authenticate(from(headers))).name).toBe('ops');
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

  it('goes on without the registry for 10 s, and not longer, where a revocation could be missed', async () => {
    const headers = ['Pullwire-Key', addKey()];
    await auth.authenticate(from(headers));
    down = true;
    wall = now + 9_999;
    expect((await auth.authenticate(from(headers))).name).toBe('ops');
    wall = now + 10_000;
    expect(await faultOf(headers)).toMatchObject({ code: 'registry-unavailable' });
    expect(await faultOf(headers)).toMatchObject({ retryAfterMs: 2_000 });
  });

  it('goes on without the registry until `clear`, where that is called for every change', async () => {
    const headers = ['Pullwire-Key', addKey()];
    auth = new CallerAuth({ ...options(), toldOfChanges: true });
    await auth.authenticate(from(headers));
    down = true;
    wall = now + 86_400_000;
    expect((await auth.authenticate(from(headers))).name).toBe('ops');
    auth.clear();
    expect(await faultOf(headers)).toMatchObject({ code: 'registry-unavailable' });
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

describe('the last use of a key', () => {
  it('is noted when its record is read, at most once an hour, and nobody waits for it', async () => {
    const key = addKey();
    await auth.authenticate(from(['Pullwire-Key', key]));
    await auth.authenticate(from(['Pullwire-Key', key]));
    expect(uses).toEqual([[hashCallerKey(key), now]]);
    expect(noted.length).toBe(1);
    const [record] = records.values();
    if (record !== undefined) records.set(record.hash, { ...record, lastUsedAt: now });
    wall = now + 3_599_999;
    await auth.authenticate(from(['Pullwire-Key', key]));
    expect(uses.length).toBe(1);
    auth.clear();
    wall = now + 3_600_000;
    await auth.authenticate(from(['Pullwire-Key', key]));
    expect(uses.length).toBe(2);
  });

  it('is not noted for a key that is refused', async () => {
    await faultOf(['Pullwire-Key', addKey({ revokedAt: 1 })]);
    await faultOf(['Pullwire-Key', addKey({ expiresAt: now / 1_000 })]);
    expect(uses).toEqual([]);
  });

  it('may fail to be noted: the caller is let in', async () => {
    const key = addKey();
    const caller = auth.authenticate(from(['Pullwire-Key', key]));
    down = true;
    expect((await caller).name).toBe('ops');
    await Promise.all(noted);
  });
});

describe('a caller with the token of an issuer', () => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln';
  const eve = (changes: Partial<IssuerCaller> = {}): IssuerCaller => ({
    id: 'iss_1',
    name: 'eve',
    grants: [{ devices: ['plant-*'], sources: ['*'], methods: ['GET'] }],
    expiresAt: now / 1_000 + 3_600,
    ...changes,
  });

  it.each([
    ['authorization', ['Authorization', `Bearer ${token}`]],
    ['pullwire-key', ['Pullwire-Key', token, 'Authorization', "Bearer the-upstream's"]],
  ])('is known by %s, the second time at once', async (credential, headers) => {
    callerOf = () => eve();
    const caller = await auth.authenticate(from(headers));
    expect(caller).toMatchObject({ id: 'iss_1', name: 'eve', credential });
    expect(caller.grants.allows('plant-7', {}, 'metrics', 'GET')).toBe('allowed');
    expect(auth.authenticate(from(headers))).toBe(caller);
    expect([tokenChecks, reads]).toEqual([[token], 0]);
  });

  it('is checked again after 10 seconds, and at once after `clear`', async () => {
    callerOf = () => eve();
    const headers = ['Pullwire-Key', token];
    await auth.authenticate(from(headers));
    callerOf = () => {
      throw new AuthError('signature-wrong', 'not signed by a key of its issuer');
    };
    wall = now + 9_999;
    expect(auth.authenticate(from(headers))).not.toBeInstanceOf(Promise);
    wall = now + 10_000;
    expect(await faultOf(headers)).toMatchObject(refused('signature-wrong'));
    callerOf = () => eve();
    await auth.authenticate(from(headers));
    callerOf = () => undefined;
    auth.clear();
    expect(await faultOf(headers)).toMatchObject(refused('key-unknown'));
  });

  it('is refused from the second on in which the token expires, cached or not', async () => {
    callerOf = () => eve({ expiresAt: now / 1_000 + 2 });
    const headers = ['Pullwire-Key', token];
    await auth.authenticate(from(headers));
    wall = now + 1_999;
    expect(auth.authenticate(from(headers))).not.toBeInstanceOf(Promise);
    wall = now + 2_000;
    expect(await faultOf(headers)).toMatchObject(refused('key-expired'));
  });

  it('gets what the issuer’s keys being away means, and it counts as no attempt', async () => {
    callerOf = () => {
      throw new PullFault('registry-unavailable', 'caller-auth', { detail: 'down' });
    };
    expect(await faultOf(['Pullwire-Key', token])).toMatchObject({ code: 'registry-unavailable' });
    expect(attempts.failed).toEqual([]);
  });

  it('is unknown where no issuer is trusted', async () => {
    const registry = { keyByHash: async () => undefined, noteKeyUse: async () => undefined };
    auth = new CallerAuth({ registry, clock: { ...systemClock, wall: () => wall } });
    expect(await faultOf(['Pullwire-Key', token])).toMatchObject(refused('key-malformed'));
  });
});

describe('attempts', () => {
  it('that fail are counted by address and hash; those without a credential are none', async () => {
    const key = generateCallerKey().key;
    for (const text of [key, 'nonsense', 'a.b.c']) await faultOf(['Pullwire-Key', text]);
    const counted = [key, 'nonsense', 'a.b.c'].map((text) => [
      'address:192.0.2.1',
      `credential:${hashCallerKey(text)}`,
    ]);
    expect(attempts.failed).toEqual(counted);
    expect(attempts.checked).toEqual(counted);
    await faultOf([]);
    expect([attempts.failed.length, attempts.checked.length]).toEqual([3, 3]);
  });

  it('are refused before any look-up where too many have failed', async () => {
    full = true;
    for (const text of [addKey(), 'a.b.c', 'nonsense']) {
      expect(await faultOf(['Pullwire-Key', text])).toMatchObject({ code: 'too-many-attempts' });
    }
    expect([reads, tokenChecks, attempts.failed]).toEqual([0, [], []]);
  });

  it('of others behind the same address do not keep out who was let in before', async () => {
    const headers = ['Pullwire-Key', addKey()];
    await auth.authenticate(from(headers));
    full = true;
    wall = now + 3_600_000;
    expect((await auth.authenticate(from(headers))).name).toBe('ops');
    for (const [hash, record] of records) records.set(hash, { ...record, revokedAt: now });
    wall += 10_000;
    expect(await faultOf(headers)).toMatchObject(refused('key-revoked'));
    expect(await faultOf(headers)).toMatchObject({ code: 'too-many-attempts' });
  });
});
