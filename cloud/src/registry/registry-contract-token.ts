import { expect, it } from 'vitest';
import type { Registry } from './registry.ts';
import { link, profile } from './registry-sample.ts';

export function spentTokenContract(registry: () => Registry): void {
  it('spends a token once, and another one too', async () => {
    expect(await registry().spendToken('plant-7', 'token-1', 2_000)).toBe(true);
    expect(await registry().spendToken('plant-7', 'token-1', 2_000)).toBe(false);
    expect(await registry().spendToken('plant-7', 'token-1', 3_000)).toBe(false);
    expect(await registry().spendToken('plant-7', 'token-2', 2_000)).toBe(true);
  });

  it('keeps the tokens of two devices apart', async () => {
    expect(await registry().spendToken('plant-7', 'token-1', 2_000)).toBe(true);
    expect(await registry().spendToken('plant-8', 'token-1', 2_000)).toBe(true);
  });

  it.each([
    ['long', 'x'.repeat(2_000)],
    ['with any letters', '#/\u0000"é\ud800'],
  ])('spends a token whose id is %s once', async (_, id) => {
    expect(await registry().spendToken('plant-7', id, 2_000)).toBe(true);
    expect(await registry().spendToken('plant-7', id, 2_000)).toBe(false);
    expect(await registry().spendToken('plant-7', `${id}x`, 2_000)).toBe(true);
  });

  it('lets exactly one of 50 that race with one token pass', async () => {
    const racers = Array.from({ length: 50 }, () =>
      registry().spendToken('plant-7', 'token-1', 2_000),
    );
    expect((await Promise.all(racers)).filter(Boolean)).toHaveLength(1);
  });

  it('shows nothing of it on the device, and remembers it of a removed one', async () => {
    await registry().addDevice(profile);
    await registry().openLink(link());
    await registry().spendToken('plant-7', 'token-1', 2_000);
    expect(await registry().device('plant-7')).toEqual({ record: profile, links: [link()] });
    await registry().removeDevice('plant-7');
    expect(await registry().spendToken('plant-7', 'token-1', 2_000)).toBe(false);
  });
}
