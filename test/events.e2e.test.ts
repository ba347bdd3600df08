import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findMinistack } from '../cloud/test/ministack/find-ministack.ts';
import { EventClient } from './src/event-client.ts';
import { type Host, startHost } from './src/host.ts';
import { type HostName, hostNames } from './src/host-limit.ts';

function suite(name: HostName): void {
  let host: Host;
  let clients: EventClient[] = [];

  beforeAll(async () => {
    host = await startHost(name, {
      up: { kind: 'command', argv: ['/bin/echo', 'up'], allow: [{ paths: ['/'] }] },
    });
  });
  afterEach(() => {
    for (const client of clients) client.stop();
    clients = [];
  });
  afterAll(() => host?.stop());

  const ask = (headers: Readonly<Record<string, string>>, path = '/events', method = 'GET') =>
    host.ask(path, { method, headers });
  const listen = (key = host.callerKey, lastEventId?: string, path?: string) => {
    const client = new EventClient(
      (headers) => ask({ ...headers, 'Pullwire-Key': key }, path),
      lastEventId,
    );
    clients.push(client);
    return client.start();
  };
  const is = (type: string) => (event: { readonly type: string }) => event.type === type;

  test('a device that goes and comes back is told, to whoever may see it and asked for it', async () => {
    const narrow = await host.addKey(['--name', 'narrow', '--devices', 'other-*']);
    const [deaf, elsewhere, client] = await Promise.all([
      listen(narrow),
      listen(host.callerKey, undefined, '/events?device=other-*'),
      listen(host.callerKey, undefined, `/events?device=${host.device}`),
    ]);
    await host.stopAgent();
    const { data } = await client.hears(is('offline'));
    expect(data).toMatchObject({
      ...{ device: host.device, presence: 'offline', instance: 'main' },
      why: expect.stringMatching(/shutdown|drained/),
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    await host.startAgent();
    expect((await client.hears(is('connected'))).data).toMatchObject({ presence: 'connected' });
    expect(client.types).toEqual(['offline', 'connected']);
    expect([deaf.heard, elsewhere.heard]).toEqual([[], []]);
  });

  test('one that comes back with the last id that it read hears what it has missed, once', async () => {
    const first = await listen();
    first.stop();
    await host.stopAgent();
    const second = await listen(host.callerKey, first.lastEventId);
    const missed = await second.hears(is('offline'));
    expect(second.heard).toEqual([missed]);
    second.stop();
    await host.startAgent();
    const third = await listen(host.callerKey, missed.id);
    await third.hears(is('connected'));
    expect(third.types).toEqual(['connected']);
  });

  test('an id that is none of this relay is answered by a reset, which says what to do', async () => {
    const client = await listen(host.callerKey, 'from-elsewhere');
    const { data } = await client.hears(is('reset'));
    expect(data).toEqual({ why: 'other-run', read: '/devices' });
  });

  test('a stream ends within 10 s of the end of its key', async () => {
    const key = await host.addKey(['--name', 'gone']);
    const client = await listen(key);
    await host.revokeKey(key.split('_')[1] ?? '');
    const before = performance.now();
    expect(await client.refused).toBe(401);
    // Its last stream, and the time until it asked again.
    expect(performance.now() - before).toBeLessThan(10_000 + 3_000 + 2_000);
  });

  test('who brings no key, or wants no events, gets none', async () => {
    const key = { 'Pullwire-Key': host.callerKey };
    expect((await ask({})).status).toBe(401);
    expect((await ask({ ...key, Accept: 'application/json' })).status).toBe(406);
    expect((await ask({ ...key }, '/events', 'POST')).status).toBe(405);
    const head = await ask({ ...key }, '/events', 'HEAD');
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([
      ...[200, 'text/event-stream', ''],
    ]);
  });

  test('one that comes and goes all the time is told once, with how often that was', async () => {
    const client = await listen();
    for (let round = 0; round < 4 && !client.types.includes('flapping'); round += 1) {
      await host.stopAgent();
      await host.startAgent();
    }
    const { data } = await client.hears(is('flapping'));
    expect(data['changes']).toBeGreaterThan(5);
    const shown = await host.ask(`/devices/${host.device}`, {
      headers: { 'Pullwire-Key': host.callerKey },
    });
    const { flaps } = (await shown.json()) as { flaps: number };
    expect(flaps).toBeGreaterThanOrEqual(3);
  });
}

for (const name of hostNames) {
  const found = name === 'ministack' ? findMinistack() : undefined;
  const skipped = found !== undefined && 'skip' in found ? found.skip : undefined;
  const title = skipped === undefined ? `on ${name}:` : `on ${name} [skipped: ${skipped}]`;
  describe.skipIf(skipped !== undefined)(title, () => suite(name));
}
