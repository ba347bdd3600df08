import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findMinistack } from '../cloud/test/ministack/find-ministack.ts';
import { type Host, startHost } from './src/host.ts';
import { type HostName, hostNames } from './src/host-limit.ts';

interface Shown {
  readonly presence: string;
  readonly links: readonly { readonly probe?: { readonly rttMs?: number } }[];
}

function suite(name: HostName): void {
  let host: Host;

  beforeAll(async () => {
    host = await startHost(name, {
      up: { kind: 'command', argv: ['/bin/echo', 'up'], allow: [{ paths: ['/'] }] },
    });
  });
  afterAll(() => host?.stop());

  const ask = (path: string, key = host.callerKey) =>
    host.ask(path, { headers: { 'Pullwire-Key': key } });
  const probe = async (): Promise<Shown> =>
    (await (await ask(`/devices/${host.device}?probe=1`)).json()) as Shown;

  test('a live device answers, and how long that took is said', async () => {
    const shown = await probe();
    expect(shown).toMatchObject({ presence: 'connected', links: [{ probe: { answered: true } }] });
    expect(shown.links[0]?.probe?.rttMs).toBeGreaterThan(0);
    expect(shown.links[0]?.probe?.rttMs).toBeLessThan(5_000);
  });

  test('one that has gone silent is stale, and connected when it speaks again', async () => {
    host.signalAgent('SIGSTOP');
    const silent = await Promise.all([probe(), probe()]);
    host.signalAgent('SIGCONT');
    for (const shown of silent) {
      expect(shown).toMatchObject({
        presence: 'stale',
        links: [{ probe: { answered: false, why: 'no-answer' } }],
      });
    }
    expect(await probe()).toMatchObject({
      presence: 'connected',
      links: [{ probe: { answered: true } }],
    });
  });

  test('who may not see the device has it proven by nobody', async () => {
    const narrow = await host.addKey(['--name', 'narrow', '--devices', 'other-*']);
    const denied = await ask(`/devices/${host.device}?probe=1`, narrow);
    const unknown = await ask('/devices/plant-99?probe=1', narrow);
    expect([denied.status, await denied.text()]).toEqual([404, await unknown.text()]);
    expect((await host.ask(`/devices/${host.device}?probe=1`)).status).toBe(401);
    expect((await ask(`/devices/${host.device}?probe=2`)).status).toBe(400);
  });

  test('one that is off is offline at once, and nobody is asked', async () => {
    await host.stopAgent();
    await expect.poll(async () => (await probe()).presence, { timeout: 30_000 }).toBe('offline');
    expect((await probe()).links[0]).not.toHaveProperty('probe');
    await host.startAgent();
    expect(await probe()).toMatchObject({ links: [{ probe: { answered: true } }] });
  });
}

for (const name of hostNames) {
  const found = name === 'ministack' ? findMinistack() : undefined;
  const skipped = found !== undefined && 'skip' in found ? found.skip : undefined;
  const title = skipped === undefined ? `on ${name}:` : `on ${name} [skipped: ${skipped}]`;
  describe.skipIf(skipped !== undefined)(title, () => suite(name));
}
