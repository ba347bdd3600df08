import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HandAgent, type WireFrame } from './src/hand-agent.ts';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';
import { World } from './src/world.ts';

let world: World;
let origin: TinyOrigin;

beforeAll(async () => {
  origin = await createOrigin();
  world = await World.start({
    sources: { web: { kind: 'http', url: origin.url, allow: [{ paths: ['/**'] }] } },
  });
  await world.addDevice('mallory', 'mallory.key');
});
afterAll(async () => {
  await world.stop();
  await origin.stop();
});

const linkUrl = (): string => `ws://127.0.0.1:${world.port}/link`;

/** A link of the device mallory, played by hand. */
async function mallory(hello = true): Promise<HandAgent> {
  const agent = new HandAgent({
    url: linkUrl(),
    token: world.tokenOf('mallory', 'mallory.key'),
  });
  expect(await agent.opened).toBe(true);
  if (hello) {
    agent.sendHello('mallory');
    await agent.next('welcome');
  }
  return agent;
}

const pullMallory = (): Promise<Response> =>
  fetch(`${world.url}/devices/mallory/sources/metrics/x`, {
    headers: { 'Pullwire-Key': world.callerKey },
  });

/** The relay and the honest device go on as before. */
async function expectUnharmed(): Promise<void> {
  expect(world.relay.running).toBe(true);
  const response = await world.pull('web', '/fine');
  expect([response.status, await response.text()]).toEqual([200, 'GET /fine']);
}

interface Malformed {
  readonly name: string;
  readonly direction: 'agent' | 'relay';
  readonly encoding: 'json' | 'bin';
  readonly frame: string;
  readonly error: string;
}

const vectors = JSON.parse(
  readFileSync(fileURLToPath(new URL('../shared/vectors/malformed.json', import.meta.url)), 'utf8'),
) as readonly Malformed[];

describe('a hostile agent', () => {
  test('each malformed text frame of the vectors ends its link, and nothing else', async () => {
    const rows = vectors.filter((row) => row.direction === 'agent' && row.encoding === 'json');
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      const agent = await mallory();
      agent.send(row.frame);
      const { code } = await agent.closed;
      expect([1002, 1003, 1009], row.name).toContain(code);
    }
    await expectUnharmed();
  });

  test('binary on a text link, and a message over every limit', async () => {
    const binary = await mallory();
    binary.send(new Uint8Array([1, 2, 3]));
    expect((await binary.closed).code).toBe(1003);
    const large = await mallory();
    large.send('x'.repeat(40_000));
    expect((await large.closed).code).toBe(1009);
    const huge = await mallory();
    huge.send('x'.repeat(1_000_000));
    expect((await huge.closed).code).toBe(1009);
    await expectUnharmed();
  });

  test.each([
    ['another device', 'plant-7', {}, 4004],
    ['another instance', 'mallory', { instance: 'b' }, 4004],
    ['another version', 'mallory', { version: 2 }, 4003],
  ])('hello with %s is refused', async (_name, device, fields, code) => {
    const agent = await mallory(false);
    agent.sendHello(device, fields);
    expect((await agent.closed).code).toBe(code);
    await expectUnharmed();
  });

  test('frames before hello are refused', async () => {
    const agent = await mallory(false);
    agent.send({ action: 'drain' });
    expect((await agent.closed).code).toBe(1002);
  });

  test('a reply to another device’s pull never reaches its caller', async () => {
    await world.addDevice('victim', 'victim.key');
    const victim = new HandAgent({
      url: linkUrl(),
      token: world.tokenOf('victim', 'victim.key'),
    });
    await victim.opened;
    victim.sendHello('victim');
    await victim.next('welcome');
    const answer = fetch(`${world.url}/devices/victim/sources/metrics/x`, {
      headers: { 'Pullwire-Key': world.callerKey },
    });
    const { pullId, replyTo } = await victim.next('pull');
    const attacker = await mallory();
    const head = { action: 'head', pullId, replyTo, seq: 0, status: 200, headers: [], end: true };
    attacker.send({ ...head, body: Buffer.from('lies').toString('base64') });
    attacker.send({ action: 'fault', pullId, replyTo, code: 'busy', stage: 'policy', detail: 'd' });
    attacker.send({ action: 'keep-alive' });
    await attacker.next('kept-alive');
    victim.send({ ...head, body: Buffer.from('truth').toString('base64') });
    expect(await (await answer).text()).toBe('truth');
    const { strays } = (await world.relay.snapshot()) as unknown as {
      strays: Record<string, number>;
    };
    expect(strays['foreign-device']).toBe(2);
    victim.close();
    attacker.close();
  });

  test('a forged, a foreign and a finished replyTo are dropped and counted; the link stays', async () => {
    const agent = await mallory();
    const before = (await world.relay.snapshot()) as unknown as { strays: Record<string, number> };
    const first = pullMallory();
    const one = await agent.next('pull');
    const reply = (frame: WireFrame, replyTo: unknown): void =>
      agent.send({
        action: 'head',
        pullId: frame['pullId'],
        replyTo,
        seq: 0,
        status: 200,
        headers: [],
        end: true,
      });
    const bytes = Buffer.from(String(one['replyTo']), 'base64url');
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    reply(one, bytes.toString('base64url'));
    reply(one, 'nonsense');
    reply(one, one['replyTo']);
    expect((await first).status).toBe(200);
    reply(one, one['replyTo']);
    const second = pullMallory();
    const two = await agent.next('pull');
    reply(two, one['replyTo']);
    reply(two, two['replyTo']);
    expect((await second).status).toBe(200);
    const after = (await world.relay.snapshot()) as unknown as { strays: Record<string, number> };
    const grown = Object.entries(after.strays).filter(
      ([key, count]) => count > (before.strays[key] ?? 0),
    );
    expect(
      Object.fromEntries(grown.map(([key, count]) => [key, count - (before.strays[key] ?? 0)])),
    ).toEqual({
      forged: 1,
      malformed: 1,
      late: 1,
      'foreign-pull': 1,
    });
    agent.close();
  });

  test.each([
    ['a header with a line break', { headers: ['x', 'a\r\nSet-Cookie: b'] }],
    ['a header name that is none', { headers: ['x y', 'a'] }],
    ['a reason with a line break', { headers: [], reason: 'OK\r\nX: y' }],
    ['a status that is none', { headers: [], status: 101 }],
  ])('%s reaches no caller', async (_name, fields) => {
    const agent = await mallory();
    const answer = pullMallory();
    const { pullId, replyTo } = await agent.next('pull');
    agent.send({ action: 'head', pullId, replyTo, seq: 0, status: 200, end: true, ...fields });
    expect((await agent.closed).code).toBe(1002);
    expect((await answer).status).toBe(502);
    await expectUnharmed();
  });

  test.each([
    ['longer than it declares', ['content-length', '1'], 'abc'],
    ['shorter than it declares', ['content-length', '9'], 'abc'],
    ['of two lengths', ['content-length', '3', 'content-length', '3'], 'abc'],
  ])('a body %s is an honest 502', async (_name, headers, body) => {
    const agent = await mallory();
    const answer = pullMallory();
    const { pullId, replyTo } = await agent.next('pull');
    const whole = Buffer.from(body).toString('base64');
    agent.send({
      action: 'head',
      pullId,
      replyTo,
      seq: 0,
      status: 200,
      headers,
      body: whole,
      end: true,
    });
    const response = await answer;
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ code: 'protocol-error' });
    agent.close();
  });

  test('framing headers of an agent do not frame the answer', async () => {
    const agent = await mallory();
    const answer = pullMallory();
    const { pullId, replyTo } = await agent.next('pull');
    const headers = ['transfer-encoding', 'chunked', 'connection', 'x-a', 'x-a', '1', 'x-b', '2'];
    agent.send({ action: 'head', pullId, replyTo, seq: 0, status: 200, headers, end: true });
    const response = await answer;
    expect(response.headers.get('x-a')).toBeNull();
    expect(response.headers.get('x-b')).toBe('2');
    agent.close();
  });

  test('a flood beyond the credit ends the pull', async () => {
    const agent = await mallory();
    const controller = new AbortController();
    const answer = fetch(`${world.url}/devices/mallory/sources/metrics/x`, {
      headers: { 'Pullwire-Key': world.callerKey },
      signal: controller.signal,
    });
    const { pullId, replyTo } = await agent.next('pull');
    const body = Buffer.alloc(20_000).toString('base64');
    agent.send({ action: 'head', pullId, replyTo, seq: 0, status: 200, headers: [] });
    const response = await answer; // its body is not read: the caller is slow
    let cancelled = false;
    const cancel = agent.next('cancel').then(() => {
      cancelled = true;
    });
    for (let seq = 1; seq <= 2_000 && !cancelled; seq += 1) {
      agent.send({ action: 'body', pullId, replyTo, seq, body });
      if (seq % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await cancel;
    await expect(response.text()).rejects.toThrow();
    controller.abort();
    agent.close();
    await expectUnharmed();
  });
});

describe('a link without credentials', () => {
  test.each([
    ['no token', async () => undefined],
    ['nonsense', async () => 'a.b.c'],
    ['a caller’s key', async () => world.callerKey],
    [
      'a token of a device that nobody added',
      async () => {
        await world.makeKey('stranger.key');
        return world.tokenOf('stranger', 'stranger.key');
      },
    ],
    ['a token signed by another device’s key', async () => world.tokenOf('plant-7', 'mallory.key')],
    [
      'a token for another relay',
      async () => world.tokenOf('mallory', 'mallory.key', { audience: 'evil.example' }),
    ],
    ['an expired token', async () => world.tokenOf('mallory', 'mallory.key', { expiresIn: -60 })],
    [
      'a token that lives for hours',
      async () => world.tokenOf('mallory', 'mallory.key', { expiresIn: 9_000 }),
    ],
  ])('%s: 401', async (_name, tokenOf) => {
    const agent = new HandAgent({ url: linkUrl(), token: await tokenOf() });
    expect(await agent.closed).toMatchObject({ status: 401 });
    await expectUnharmed();
  });

  test('an unknown subprotocol is 426, and names those known', async () => {
    const agent = new HandAgent({
      url: linkUrl(),
      token: await world.token(),
      protocols: ['pullwire.v9+json'],
    });
    const close = await agent.closed;
    expect(close.status).toBe(426);
    expect(close.body).toContain('pullwire.v1+json');
  });
});

test('no secret is in any log', () => {
  for (const secret of world.secrets) expect(world.logs).not.toContain(secret);
  expect(world.secrets.length).toBeGreaterThan(5);
});
