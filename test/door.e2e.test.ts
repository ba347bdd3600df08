import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';
import { World } from './src/world.ts';

let world: World;
let origin: TinyOrigin;

beforeAll(async () => {
  origin = await createOrigin();
  world = await World.start({
    sources: { web: { kind: 'http', url: origin.url, allow: [{ paths: ['/**'] }] } },
    relayArgs: ['--trusted-proxy', '127.0.0.1'],
  });
});
afterAll(async () => {
  await world.stop();
  await origin.stop();
});

let strangers = 0;
/** Each attempt comes from an address of its own: failures are counted by it. */
const stranger = (): Record<string, string> => {
  strangers += 1;
  return { 'X-Forwarded-For': `198.51.100.${strangers}` };
};

const routes: readonly [string, string][] = [
  ['GET', '/devices'],
  ['GET', '/devices/plant-7'],
  ['DELETE', '/devices/plant-7'],
  ['GET', '/devices/plant-7/sources/web/x'],
  ['POST', '/devices/plant-7/sources/web/x'],
  ['OPTIONS', '/devices/plant-7/sources/web/x'],
  ['GET', '/devices/nobody/sources/web/x'],
];

const credentials: readonly [string, () => Promise<Record<string, string>>][] = [
  ['none', async () => ({})],
  ['nonsense', async () => ({ 'Pullwire-Key': 'nonsense' })],
  ['a key that was never made', async () => ({ 'Pullwire-Key': `pwk_abcdef_${'A'.repeat(43)}` })],
  ['an agent’s token', async () => ({ Authorization: `Bearer ${await world.token()}` })],
  ['a good key in the wrong scheme', async () => ({ Authorization: `Basic ${world.callerKey}` })],
  [
    'nonsense beside a good bearer',
    async () => ({ 'Pullwire-Key': 'x', Authorization: `Bearer ${world.callerKey}` }),
  ],
];

describe('every route without a valid key', () => {
  test.each(credentials)('%s: 401, and nothing reaches the device', async (_name, headersOf) => {
    const headers = await headersOf();
    const before = origin.requests;
    for (const [method, path] of routes) {
      const response = await fetch(world.url + path, {
        method,
        headers: { ...headers, ...stranger() },
      });
      expect([method, path, response.status]).toEqual([method, path, 401]);
      expect(response.headers.get('pullwire-answered-by')).toBe('relay');
    }
    expect(origin.requests).toBe(before);
  });

  test('a revoked key is refused at once', async () => {
    const key = await world.addKey(['--name', 'temp']);
    const ask = (): Promise<Response> =>
      fetch(world.url + world.path('web', '/x'), { headers: { 'Pullwire-Key': key } });
    expect((await ask()).status).toBe(200);
    await world.operate(['key', 'revoke', key.split('_')[1] ?? '']);
    expect((await ask()).status).toBe(401);
  });
});

describe('grants', () => {
  test('a key sees and pulls what it was given, and the rest does not exist for it', async () => {
    await world.addDevice('plantx', 'plantx.key');
    const key = await world.addKey([
      '--name',
      'narrow',
      '--devices',
      'plant-*',
      '--sources',
      'web',
    ]);
    const ask = (path: string, method = 'GET'): Promise<Response> =>
      fetch(world.url + path, { method, headers: { 'Pullwire-Key': key } });
    expect((await ask(world.path('web', '/x'))).status).toBe(200);
    expect((await ask(world.path('web', '/x'), 'POST')).status).toBe(403);
    expect((await ask(world.path('other', '/x'))).status).toBe(404);
    const [unknown, ungranted] = await Promise.all([
      ask('/devices/nobody/sources/web/x').then((response) => response.text()),
      ask('/devices/plantx/sources/web/x').then((response) => response.text()),
    ]);
    expect(unknown).toBe(ungranted);
    expect((await ask('/devices/plantx')).status).toBe(404);
    const { devices } = (await (await ask('/devices')).json()) as { devices: { device: string }[] };
    expect(devices.map(({ device }) => device)).toEqual(['plant-7']);
    expect((await ask('/devices/plant-7', 'DELETE')).status).toBe(403);
  });

  test('a device that is removed loses its link at once, and the agent ends for good', async () => {
    const other = await World.start({ sources: {} });
    await other.operate(['device', 'remove', other.device]);
    expect(await other.agent.ended).toBe(77);
    expect((await other.get(`/devices/${other.device}`)).status).toBe(404);
    await other.stop();
  });
});

describe('the relay’s credential', () => {
  test('never reaches the upstream, an upstream’s own does', async () => {
    const seen: Record<string, string | string[] | undefined>[] = [];
    const { createServer } = await import('node:http');
    const echo = createServer((request, response) => {
      seen.push(request.headers);
      response.end();
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    const address = echo.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const other = await World.start({
      sources: { web: { kind: 'http', url, allow: [{ paths: ['/**'] }] } },
    });
    const target = other.url + other.path('web', '/x');
    await fetch(target, {
      headers: { 'Pullwire-Key': other.callerKey, Authorization: 'Basic dXA=' },
    });
    await fetch(target, { headers: { Authorization: `Bearer ${other.callerKey}` } });
    expect(seen.map((headers) => headers['authorization'])).toEqual(['Basic dXA=', undefined]);
    expect(JSON.stringify(seen)).not.toContain('pwk_');
    expect(other.logs).not.toContain(other.callerKey);
    await other.stop();
    echo.closeAllConnections();
    echo.close();
  });
});

/** What came back for raw bytes, until the connection ended. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(world.port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

describe('requests that are not what they seem', () => {
  const line = (): string =>
    `POST ${world.path('web', '/smuggle')} HTTP/1.1\r\nHost: x\r\nPullwire-Key: ${world.callerKey}\r\n`;
  const hidden = 'GET /devices HTTP/1.1\r\nHost: x\r\n\r\n';

  test.each([
    ['both lengths', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['two equal lengths', 'Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello'],
    ['a list of lengths', 'Content-Length: 5, 5\r\n\r\nhello'],
    ['a signed length', 'Content-Length: +5\r\n\r\nhello'],
    ['a folded header', 'X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n'],
    ['a space before the colon', 'Content-Length : 5\r\n\r\nhello'],
    ['chunked twice', 'Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n'],
    ['chunked that is not last', 'Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n'],
    ['a chunk size that is none', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['a NUL in a header', 'X-A: a\u0000b\r\nContent-Length: 0\r\n\r\n'],
    ['a bare line feed', 'X-A: b\nContent-Length: 0\r\n\r\n'],
  ])('%s: refused, and the connection is closed', async (_name, rest) => {
    const before = origin.requests;
    const answer = await raw(line() + rest + hidden);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect(origin.requests).toBe(before);
  });

  test('heads that are too large: 431', async () => {
    expect(await raw(`${line()}X: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('CONNECT and an upgrade of a pull: 501', async () => {
    expect(await raw('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 501 /);
    const upgrade = 'Connection: close, Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect(await raw(line() + upgrade)).toMatch(/^HTTP\/1\.1 501 /);
  });

  test('noise is not HTTP: 400', async () => {
    expect(await raw('\u0016\u0003\u0001 noise\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });
});

/** TCP ports on which a process listens (proc(5): /proc/PID/fd, /proc/net/tcp). */
function listeningPorts(pid: number): number[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      } catch {
        return undefined; // closed meanwhile
      }
    }),
  );
  const rows = ['tcp', 'tcp6'].flatMap((file) =>
    readFileSync(`/proc/${pid}/net/${file}`, 'utf8').trim().split('\n').slice(1),
  );
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((row) => row[3] === '0A' && inodes.has(row[9]))
    .map((row) => Number.parseInt(row[1]?.split(':')[1] ?? '', 16));
}

test('only the documented port listens: one at the relay, none at the agent', () => {
  expect(listeningPorts(world.relay.pid)).toEqual([world.port]);
  expect(listeningPorts(world.agent.pid)).toEqual([]);
});

test('no secret is in any log', () => {
  for (const secret of world.secrets) expect(world.logs).not.toContain(secret);
});
