import { expect, it } from 'vitest';
import type { EnrolCodeRecord, Registry } from './registry.ts';
import { eachItem } from './registry-pages.ts';
import { enrolCode, key } from './registry-sample.ts';

const hash = 'hash-of-code01';
const use = { device: 'plant-7', publicKey: 'ed25519:AAAA', at: 50_000 };

export function enrolCodeContract(registry: () => Registry): void {
  it.each([
    ['of any device', enrolCode()],
    ['of one device', enrolCode({ device: 'plant-7', labels: { quote: '"#é' } })],
    ['that replaces', enrolCode({ device: 'plant-7', replaces: true })],
    ['that does not', enrolCode({ device: 'plant-7', replaces: false })],
  ])('reads back a code %s by its hash', async (_, record) => {
    await registry().addEnrolCode(record);
    expect(await registry().enrolCodeByHash(hash)).toEqual(record);
    expect(await registry().enrolCodeByHash('another')).toBeUndefined();
  });

  it('refuses a second code of the same id, and takes the same record again', async () => {
    await registry().addEnrolCode(enrolCode());
    await registry().addEnrolCode(enrolCode());
    const second = registry().addEnrolCode(enrolCode({ hash: 'another' }));
    await expect(second).rejects.toMatchObject({ code: 'conflict' });
    expect(await registry().enrolCodeByHash('another')).toBeUndefined();
  });

  it('does not make a spent code good by adding it again', async () => {
    await registry().addEnrolCode(enrolCode());
    await registry().spendEnrolCode(hash, use);
    const again = registry().addEnrolCode(enrolCode());
    await expect(again).rejects.toMatchObject({ code: 'conflict' });
    expect(await registry().enrolCodeByHash(hash)).toEqual(enrolCode({ spent: use }));
  });

  it('spends a code once, and remembers for whom', async () => {
    await registry().addEnrolCode(enrolCode());
    expect(await registry().spendEnrolCode(hash, use)).toBe(true);
    const other = { device: 'plant-8', publicKey: 'ed25519:BBBB', at: 60_000 };
    expect(await registry().spendEnrolCode(hash, other)).toBe(false);
    expect(await registry().spendEnrolCode(hash, use)).toBe(false);
    expect(await registry().enrolCodeByHash(hash)).toEqual(enrolCode({ spent: use }));
  });

  it('spends no code that nobody made, and makes none by that', async () => {
    expect(await registry().spendEnrolCode('another', use)).toBe(false);
    expect(await registry().enrolCodeByHash('another')).toBeUndefined();
  });

  it('spends a code until the second of its expiry begins', async () => {
    await registry().addEnrolCode(enrolCode({ expiresAt: 100 }));
    expect(await registry().spendEnrolCode(hash, { ...use, at: 100_000 })).toBe(false);
    expect((await registry().enrolCodeByHash(hash))?.spent).toBeUndefined();
    expect(await registry().spendEnrolCode(hash, { ...use, at: 99_999 })).toBe(true);
  });

  it('gives a code to exactly one of 50 that race for it', async () => {
    await registry().addEnrolCode(enrolCode());
    const racers = Array.from({ length: 50 }, (_, n) => ({ ...use, publicKey: `ed25519:${n}` }));
    const won = await Promise.all(racers.map((racer) => registry().spendEnrolCode(hash, racer)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await registry().enrolCodeByHash(hash))?.spent).toEqual(racers[won.indexOf(true)]);
  });

  it('gives a code to one of two that race for it, each of 40 times', async () => {
    for (let n = 0; n < 40; n += 1) {
      await registry().addEnrolCode(enrolCode({ id: `code-${n}`, hash: `hash-${n}` }));
      const racers = ['a', 'b'].map((device) => ({ ...use, device }));
      const won = await Promise.all(
        racers.map((racer) => registry().spendEnrolCode(`hash-${n}`, racer)),
      );
      expect(won.toSorted()).toEqual([false, true]);
    }
  });

  it('finishes a spent code, with the first time that is said', async () => {
    await registry().addEnrolCode(enrolCode());
    await registry().spendEnrolCode(hash, use);
    await registry().finishEnrolCode(hash, 60_000);
    await registry().finishEnrolCode(hash, 70_000);
    const finished = enrolCode({ spent: use, doneAt: 60_000 });
    expect(await registry().enrolCodeByHash(hash)).toEqual(finished);
  });

  it('finishes no code that is unspent or that nobody made', async () => {
    await registry().addEnrolCode(enrolCode());
    await registry().finishEnrolCode(hash, 60_000);
    await registry().finishEnrolCode('another', 60_000);
    expect(await registry().enrolCodeByHash(hash)).toEqual(enrolCode());
    expect(await registry().enrolCodeByHash('another')).toBeUndefined();
  });

  it('forgets an unspent code by its id, and keeps a spent one', async () => {
    await registry().addEnrolCode(enrolCode());
    await registry().addEnrolCode(enrolCode({ id: 'code02', hash: 'spent' }));
    await registry().spendEnrolCode('spent', use);
    expect(await registry().removeEnrolCode('code01')).toBe(true);
    expect(await registry().removeEnrolCode('code01')).toBe(false);
    expect(await registry().removeEnrolCode('code02')).toBe(false);
    expect(await registry().enrolCodeByHash(hash)).toBeUndefined();
    expect(await registry().spendEnrolCode(hash, use)).toBe(false);
    expect((await registry().enrolCodeByHash('spent'))?.spent).toEqual(use);
  });

  it('spends or forgets a code, never both, where the two race', async () => {
    for (let n = 0; n < 20; n += 1) {
      await registry().addEnrolCode(enrolCode({ id: `code-${n}`, hash: `hash-${n}` }));
      const [spent, removed] = await Promise.all([
        registry().spendEnrolCode(`hash-${n}`, use),
        registry().removeEnrolCode(`code-${n}`),
      ]);
      expect(spent).not.toBe(removed);
      expect((await registry().enrolCodeByHash(`hash-${n}`)) !== undefined).toBe(spent);
    }
  });

  it('lists codes page by page in the order of their ids, spent ones too, and no keys', async () => {
    for (const id of ['c3', 'c1', 'c2']) {
      await registry().addEnrolCode(enrolCode({ id, hash: `hash-${id}` }));
    }
    await registry().addKey(key({ id: 'c2' }));
    await registry().spendEnrolCode('hash-c2', use);
    const listed: EnrolCodeRecord[] = [];
    const read = (after?: string) =>
      registry().enrolCodes({ limit: 2, ...(after ? { after } : {}) });
    for await (const record of eachItem(read)) listed.push(record);
    expect(listed.map((code) => [code.id, code.spent])).toEqual([
      ['c1', undefined],
      ['c2', use],
      ['c3', undefined],
    ]);
  });
}
