import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findMinistack } from '../cloud/test/ministack/find-ministack.ts';
import { type Host, startHost } from './src/host.ts';
import { type Ability, type HostName, hostLimits, hostNames } from './src/host-limit.ts';

const everyByte = Buffer.from(Uint8Array.from({ length: 256 }, (_, at) => at));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** `/bytes/N`, `/status/N`, `/events`, `/never`; anything else is an echo that also says what it was asked. */
async function startOrigin(): Promise<Server> {
  const server = createServer((request, response) => {
    const { url = '/', method } = request;
    const [, route, number] = /^\/(\w+)\/?(\d*)/.exec(url) ?? [];
    if (route === 'bytes') {
      response.end(Buffer.alloc(Number(number), 'x'));
    } else if (route === 'status') {
      response.writeHead(Number(number), { 'X-Status': String(number) }).end();
    } else if (route === 'events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: one\n\n');
      server.once('next', () => response.end('data: two\n\n'));
    } else if (route !== 'never') {
      response.setHeader('X-Asked', `${method} ${url}`);
      response.setHeader('X-Heard', request.headers['x-said'] ?? '');
      response.setHeader('Set-Cookie', ['a=1', 'b=2', 'c=3']);
      request.pipe(response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function suite(name: HostName): void {
  let origin: Server;
  let host: Host;
  let folder: string;

  const can = (ability: Ability) => test.skipIf(hostLimits[name][ability] !== undefined);
  const keyed = (init: RequestInit = {}, key = host.callerKey): RequestInit => {
    const headers = new Headers(init.headers);
    headers.set('Pullwire-Key', key);
    return { ...init, headers };
  };
  const pull = (source: string, path: string, init?: RequestInit, device = host.device) =>
    host.ask(`/devices/${device}/sources/${source}${path}`, keyed(init));
  const problem = async (answer: Response) => {
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const { code, stage } = (await answer.json()) as { code: string; stage: string };
    return [answer.status, code, stage, answer.headers.get('pullwire-answered-by')];
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pullwire-hosts-'));
    writeFileSync(join(folder, 'app.log'), 'one\ntwo\nthree\n');
    origin = await startOrigin();
    const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    host = await startHost(name, {
      web: {
        kind: 'http',
        url,
        allow: [{ paths: ['/**'], methods: ['GET', 'HEAD', 'POST', 'PUT'] }],
      },
      nobody: {
        kind: 'http',
        url: `http://127.0.0.1:${await freePort()}`,
        allow: [{ paths: ['/**'] }],
      },
      log: { kind: 'file', root: folder, allow: [{ paths: ['/*.log'] }] },
      up: { kind: 'command', argv: ['/bin/echo', 'up'], allow: [{ paths: ['/'] }] },
    });
  });
  afterAll(async () => {
    await host?.stop();
    origin.close();
    origin.closeAllConnections();
    rmSync(folder, { recursive: true });
  });

  test('a pull comes back whole, with whose answer it is, its id and its time', async () => {
    const answer = await pull('web', '/bytes/1000');
    expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, 1_000]);
    expect(answer.headers.get('pullwire-answered-by')).toBe('upstream');
    expect(answer.headers.get('pullwire-pull')).toMatch(/^[\w-]{22}$/);
    expect(answer.headers.get('server-timing')).toMatch(/^total;dur=[\d.]+, agent;dur=/);
  });

  test.each([0, 1, 70_000])(
    'a body of %i times every byte goes and comes back as it is',
    async (times) => {
      const body = Buffer.concat(
        Array.from({ length: times === 70_000 ? 270 : times }, () => everyByte),
      );
      const answer = await pull('web', '/echo', {
        method: 'POST',
        body,
        headers: { 'X-Said': 'hello' },
      });
      expect(sha256(new Uint8Array(await answer.arrayBuffer()))).toBe(sha256(body));
      expect(answer.headers.get('x-heard')).toBe('hello');
      expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2', 'c=3']);
    },
  );

  test('a query arrives as it was sent', async () => {
    const answer = await pull('web', '/echo?a=1&b=two');
    expect(answer.headers.get('x-asked')).toBe('GET /echo?a=1&b=two');
  });

  can('raw path')('a path arrives byte for byte', async () => {
    const answer = await pull('web', '/a%2Fb%20c/%E2%82%AC?q=%2B+%25');
    expect(answer.headers.get('x-asked')).toBe('GET /a%2Fb%20c/%E2%82%AC?q=%2B+%25');
  });

  test.each([204, 304, 404, 418, 500, 503])('status %i passes through', async (status) => {
    const answer = await pull('web', `/status/${status}`);
    expect([answer.status, answer.headers.get('x-status')]).toEqual([status, String(status)]);
    expect(answer.headers.get('pullwire-answered-by')).toBe('upstream');
  });

  test('HEAD has no body', async () => {
    const answer = await pull('web', '/bytes/1000', { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });

  test.each([21_999, 22_001, 87_999, 88_001, 5_000_000, 9_000_000])(
    'a reply of %i bytes is whole',
    async (bytes) => {
      const answer = await pull('web', `/bytes/${bytes}`);
      const body = Buffer.from(await answer.arrayBuffer());
      expect([answer.status, body.length]).toEqual([200, bytes]);
      expect(body.equals(Buffer.alloc(bytes, 'x'))).toBe(true);
    },
  );

  can('length of a stream')('a large reply says its length', async () => {
    const answer = await pull('web', '/bytes/5000000');
    expect(answer.headers.get('content-length')).toBe('5000000');
    await answer.arrayBuffer();
  });

  can('event by event')('an event stream arrives event by event', async () => {
    const answer = await pull('web', '/events');
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe('data: one\n\n');
    origin.emit('next');
    expect((await reader?.read())?.value).toBe('data: two\n\n');
    expect((await reader?.read())?.done).toBe(true);
  });

  test('files and commands are sources too', async () => {
    expect(await (await pull('log', '/app.log?tail=1')).text()).toBe('three\n');
    const part = await pull('log', '/app.log', { headers: { Range: 'bytes=4-6' } });
    expect([part.status, await part.text()]).toEqual([206, 'two']);
    expect(await (await pull('up', '/')).text()).toBe('up\n');
  });

  test('pulls beside each other do not meet', async () => {
    const asked = Array.from({ length: 20 }, async (_, at) => {
      const answer = await pull('web', '/echo', { method: 'PUT', body: `body ${at}` });
      return answer.text();
    });
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 20 }, (_, at) => `body ${at}`));
  });

  test('who has no key, or no grant, learns nothing', async () => {
    const path = `/devices/${host.device}/sources/web/x`;
    expect(await problem(await host.ask(path))).toEqual([
      401,
      'caller-unauthenticated',
      'caller-auth',
      'relay',
    ]);
    const stranger = host.callerKey.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    expect((await problem(await host.ask(path, keyed({}, stranger))))[1]).toBe(
      'caller-unauthenticated',
    );
    const narrow = await host.addKey(['--name', 'narrow', '--devices', 'other-*']);
    const denied = await problem(await host.ask(path, keyed({}, narrow)));
    const unknown = await problem(await pull('web', '/x', {}, 'plant-99'));
    expect([denied, unknown]).toEqual(Array(2).fill([404, 'not-found', 'lookup', 'relay']));
  });

  test('what policy, source and upstream refuse is said by whoever refused it', async () => {
    expect(await problem(await pull('web', '/x', { method: 'DELETE' }))).toEqual([
      403,
      'refused-by-policy',
      'policy',
      'agent',
    ]);
    expect(await problem(await pull('nothing', '/x'))).toEqual([
      404,
      'source-unknown',
      'lookup',
      'relay',
    ]);
    expect(await problem(await pull('nobody', '/x'))).toEqual([
      502,
      'upstream-unreachable',
      'upstream-connect',
      'agent',
    ]);
    expect(await problem(await pull('log', '/secret.txt'))).toEqual([
      403,
      'refused-by-policy',
      'policy',
      'agent',
    ]);
  });

  test('a reply that does not begin in time is a 504', async () => {
    const answer = await pull('web', '/never', { headers: { Prefer: 'wait=1' } });
    expect((await problem(answer)).slice(0, 2)).toEqual([
      504,
      expect.stringMatching(/timeout|deadline/),
    ]);
  });

  test('devices are listed with their presence, and health needs no key', async () => {
    const list = (await (await host.ask('/devices', keyed())).json()) as { devices: unknown[] };
    expect(list.devices).toEqual([
      expect.objectContaining({ device: host.device, presence: 'connected' }),
    ]);
    expect((await host.ask('/health/live')).status).toBe(200);
    expect((await host.ask('/health/ready')).status).toBe(200);
    expect((await host.ask('/nothing', keyed())).status).toBe(404);
    expect((await host.ask(`/devices/${host.device}`, keyed({ method: 'PATCH' }))).status).toBe(
      405,
    );
  });

  test('a device that went is offline, since when and why, and is back when its agent is', async () => {
    await host.stopAgent();
    const presence = async () => {
      const answer = await host.ask(`/devices/${host.device}`, keyed());
      return (await answer.json()) as { presence: string; why?: string };
    };
    // On AWS the goodbye and the disconnect are events of their own, and either may be first.
    await expect.poll(presence).toMatchObject({
      presence: 'offline',
      why: expect.stringMatching(/shutdown|drained|closed-1000/),
    });
    await expect
      .poll(async () => problem(await pull('web', '/bytes/1')), { timeout: 15_000 })
      .toEqual([503, 'device-offline', 'lookup', 'relay']);
    await host.startAgent();
    await expect
      .poll(async () => (await pull('web', '/bytes/1')).status, { timeout: 15_000 })
      .toBe(200);
    expect(await presence()).toMatchObject({ presence: 'connected' });
  });

  test('a queued pull waits for its device, and its answer for its caller', async () => {
    await host.stopAgent();
    const body = everyByte.toString('latin1');
    const headers = { Prefer: 'respond-async', 'X-Said': 'later' };
    const queued = await pull('web', '/echo?a=%2F', { method: 'POST', body, headers });
    expect([queued.status, queued.headers.get('preference-applied')]).toEqual([
      202,
      'respond-async',
    ]);
    const place = queued.headers.get('location') ?? '';
    expect(await (await host.ask(place, keyed())).json()).toMatchObject({ state: 'queued' });
    await host.startAgent();
    await expect
      .poll(async () => (await host.ask(place, keyed())).json(), { timeout: 15_000 })
      .toMatchObject({ state: 'done', status: 200 });
    const result = await host.ask(`${place}/result`, keyed());
    expect(await result.text()).toBe(body);
    expect(result.headers.get('pullwire-answered-by')).toBe('upstream');
    expect(result.headers.get('x-asked')).toBe('POST /echo?a=%2F');
    expect(result.headers.get('x-heard')).toBe('later');
    expect(result.headers.getSetCookie()).toEqual(['a=1', 'b=2', 'c=3']);
  });

  test('a key that is revoked ends within 10 s', async () => {
    const key = await host.addKey(['--name', 'gone']);
    const path = `/devices/${host.device}/sources/web/bytes/1`;
    expect((await host.ask(path, keyed({}, key))).status).toBe(200);
    await host.revokeKey(key.split('_')[1] ?? '');
    const status = async () => (await host.ask(path, keyed({}, key))).status;
    await expect.poll(status, { timeout: 10_500, interval: 250 }).toBe(401);
  });

  test('no key is in any log', async () => {
    expect(await host.logs()).not.toContain(host.callerKey);
  });
}

for (const name of hostNames) {
  const found = name === 'ministack' ? findMinistack() : undefined;
  const skipped = found !== undefined && 'skip' in found ? found.skip : undefined;
  const title = skipped === undefined ? `on ${name}:` : `on ${name} [skipped: ${skipped}]`;
  describe.skipIf(skipped !== undefined)(title, () => suite(name));
}
