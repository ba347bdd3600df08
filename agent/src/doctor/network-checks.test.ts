import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateDeviceKey, writeDeviceKey } from '../identity/device-key.ts';
import type { CheckLine } from './check.ts';
import { checks } from './checks.ts';
import { runChecks } from './run-checks.ts';
import { patientWith } from './sample-patient.ts';

let folder: string;
const stops: (() => Promise<void>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-doctor-'));
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await rm(folder, { recursive: true });
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A server that answers upgrades with a status and these header lines; resolves with its port. */
function answering(status: number, ...headers: string[]): Promise<number> {
  const server = createServer((_request, response) => response.writeHead(404).end());
  server.on('upgrade', (_request, socket: Duplex) => {
    socket.end([`HTTP/1.1 ${status} X`, 'Content-Length: 0', ...headers, '', ''].join('\r\n'));
  });
  return listen(server);
}

async function examine(port: number, env = {}): Promise<Record<string, CheckLine>> {
  const keyFile = join(folder, 'device.key');
  await writeDeviceKey(keyFile, await generateDeviceKey());
  const file = join(folder, 'agent.json');
  const relay = `ws://127.0.0.1:${port}/link`;
  await writeFile(file, JSON.stringify({ relay, device: 'plant-7', keyFile, sources: {} }));
  const patient = patientWith(file, { env });
  const lines = await runChecks(checks, patient);
  await patient.close();
  return Object.fromEntries(lines.map((line) => [line.component, line]));
}

const byRelay = 'Pullwire-Answered-By: relay';

describe('an answer in the place of 101', () => {
  it.each([
    ['a gateway that took the token', 426, [], 'ok', 'ok'],
    ['a relay that saw no upgrade', 426, [byRelay], 'failed', 'skipped'],
    ['a relay at another path', 404, [byRelay], 'failed', 'skipped'],
    ['a login page', 302, ['Location: https://portal.example'], 'failed', 'skipped'],
    ['a load balancer without a relay', 502, [], 'failed', 'skipped'],
    ['a relay that sheds', 503, [byRelay, 'Retry-After: 5'], 'warning', 'skipped'],
    ['a token that is not taken', 401, [byRelay], 'ok', 'failed'],
    ['a device that was revoked', 403, [byRelay], 'ok', 'failed'],
    ['a firewall, or a gateway to a revoked device', 403, [], 'ok', 'failed'],
  ])('%s (%i)', async (_whose, status, headers, websocket, authentication) => {
    const lines = await examine(await answering(status, ...headers));
    expect([lines['websocket']?.state, lines['authentication']?.state]).toEqual([
      websocket,
      authentication,
    ]);
    for (const { state, advice } of Object.values(lines)) {
      if (state === 'failed' || state === 'warning') expect(advice).toMatch(/\w{3}/);
    }
  });

  it('a 403 that does not say whose it is names both', async () => {
    const { authentication } = await examine(await answering(403));
    expect(authentication?.details).toMatch(/on AWS a revoked device .* a firewall/);
  });
});

describe('a proxy', () => {
  it.each([
    [407, 'http://USER:PASSWORD@proxy:3128'],
    [403, 'allow CONNECT'],
    [502, 'cannot reach'],
  ])('that answers %i is named, with what to do', async (status, advice) => {
    const proxy = createServer();
    proxy.on('connect', (_request, socket: Duplex) => {
      socket.end(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`);
    });
    const port = await listen(proxy);
    const lines = await examine(1, { HTTP_PROXY: `http://u:secret@127.0.0.1:${port}` });
    expect(lines['tunnel']).toMatchObject({
      state: 'failed',
      details: `the proxy http://127.0.0.1:${port} answered ${status} to CONNECT 127.0.0.1:1`,
    });
    expect(lines['tunnel']?.advice).toContain(advice);
    expect(lines['websocket']?.details).toBe('not checked, because tunnel failed');
    expect(JSON.stringify(lines)).not.toContain('secret');
  });
});
