import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Pull, systemClock } from '@pullwire/shared';
import { decodeJwt } from 'jose';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, createAgent } from './agent.ts';
import type { AgentConfig } from './config/agent-config.ts';
import { loadConfig } from './config/load-config.ts';
import { generateDeviceKey, writeDeviceKey } from './identity/device-key.ts';
import { FakeRelay, type RelayEnd } from './link/fake-relay.ts';

let folder: string;
let relay: FakeRelay;
let upstream: Server;
let agent: Agent;
let logged: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-agent-'));
  await writeDeviceKey(join(folder, 'device.key'), await generateDeviceKey());
  await writeFile(join(folder, 'hello.txt'), 'hello');
  relay = new FakeRelay();
  await relay.start();
  upstream = createServer();
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  logged = [];
});

afterEach(async () => {
  await agent.stop();
  await relay.stop();
  upstream.closeAllConnections();
  upstream.close();
  await rm(folder, { recursive: true });
});

const files = (name: string): string => `
  ${name}: { kind: file, root: ${folder}, allow: [{ paths: ['/**'] }] }`;

async function configOf(sources: string, more = ''): Promise<AgentConfig> {
  const file = join(folder, 'agent.yaml');
  await writeFile(file, `relay: ${relay.url}\ndevice: plant-7\nsources: ${sources}\n${more}`);
  return loadConfig({ file, env: {}, flags: {}, workingFolder: folder });
}

async function start(config: AgentConfig): Promise<void> {
  agent = createAgent(config, {
    clock: systemClock,
    random: () => 0,
    newId: () => 'sixteen-letters-1',
    env: {},
    readFile: () => {
      throw new Error('no file is named');
    },
    logger: pino({ level: 'info' }, { write: (line: string) => logged.push(line) }),
    onFinal: () => {},
  });
  await agent.start();
}

function pullOf(source: string, path: string): Pull {
  return {
    action: 'pull',
    pullId: 'AAECAwQFBgcICQoLDA0ODw',
    replyTo: 'r1',
    seq: 0,
    source,
    method: 'GET',
    path,
    headers: [],
    deadlineMs: 30_000,
    credit: 88_000,
    caller: 'ops',
    end: true,
  };
}

async function replyFrom(link: RelayEnd): Promise<{ status: number; body: string }> {
  let message: Awaited<ReturnType<RelayEnd['receive']>> = await link.next('head');
  const { status } = message;
  const pieces: Uint8Array[] = [];
  for (;;) {
    if ('body' in message) pieces.push(message.body);
    if (message.action === 'end' || ('end' in message && message.end)) break;
    message = await link.receive();
  }
  return { status, body: Buffer.concat(pieces).toString() };
}

describe('the agent', () => {
  it('answers a pull from a source, and writes an audit line', async () => {
    await start(await configOf(files('logs')));
    const link = await relay.welcome();
    link.send(pullOf('logs', '/hello.txt'));
    expect(await replyFrom(link)).toEqual({ status: 200, body: 'hello' });
    const audit = logged.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'pull');
    expect(audit).toMatchObject({
      source: 'logs',
      caller: 'ops',
      path: '/hello.txt',
      outcome: 'done',
    });
  });

  it('brings a large reply to where the relay wants it stored', async () => {
    const large = 'x'.repeat(300_000);
    await writeFile(join(folder, 'large.txt'), large);
    const stored: string[] = [];
    upstream.on('request', async (request, response) => {
      let body = '';
      for await (const piece of request) body += piece;
      stored.push(body);
      response.setHeader('etag', '"e1"').end();
    });
    await start(await configOf(files('logs'), 'encodings: []\n'));
    const link = await relay.welcome({ features: ['upload'] });
    link.send(pullOf('logs', '/large.txt'));
    expect(await link.next('head')).toMatchObject({ status: 200, end: false });
    const { pullId, part, length } = await link.next('upload');
    const { port } = upstream.address() as AddressInfo;
    link.send({ action: 'put', pullId, part, url: `http://127.0.0.1:${port}/x`, headers: [] });
    expect(await link.next('complete')).toMatchObject({ length: 300_000 });
    expect([length, stored]).toEqual([300_000, [large]]);
  });

  it('says hello with its sources and labels, and a token for this device and relay', async () => {
    await start(await configOf(files('logs'), 'labels: { site: north }\ninstance: b\n'));
    const link = await relay.link();
    expect(await link.next('hello')).toEqual({
      action: 'hello',
      run: 'sixteen-letters-1',
      version: 1,
      agent: expect.stringMatching(/^pullwire-agent\/\d/),
      device: 'plant-7',
      instance: 'b',
      sources: [{ name: 'logs', kind: 'file', methods: ['GET', 'HEAD'] }],
      labels: { site: 'north' },
      features: ['hold', 'probe', 'readings', 'resend', 'rotate', 'upload'],
    });
    const token = relay.requests[0]?.headers.authorization?.slice('Bearer '.length) ?? '';
    expect(decodeJwt(token)).toMatchObject({
      sub: 'plant-7',
      inst: 'b',
      aud: `127.0.0.1:${relay.port}`,
      jti: 'sixteen-letters-1',
    });
  });

  it('lets a pull under way end at a source that a reload has replaced', async () => {
    const asked = once(upstream, 'request');
    const { port } = upstream.address() as AddressInfo;
    await start(
      await configOf(`
  metrics: { kind: http, url: 'http://127.0.0.1:${port}', allow: [{ paths: [/slow] }] }`),
    );
    const link = await relay.welcome();
    link.send(pullOf('metrics', '/slow'));
    const [, response] = (await asked) as [unknown, ServerResponse];
    await agent.reload(await configOf(files('logs')));
    expect(await link.next('hello')).toMatchObject({ sources: [{ name: 'logs' }] });
    link.send({ ...pullOf('metrics', '/slow'), pullId: 'AAAAAAAAAAAAAAAAAAAAAA' });
    expect(await link.next('fault')).toMatchObject({ code: 'source-unknown' });
    response.end('at last');
    const head = await link.next('head');
    expect(head.pullId).toBe('AAECAwQFBgcICQoLDA0ODw');
    expect(agent.snapshot()).toMatchObject({ sources: ['logs'], link: { counters: { links: 1 } } });
  });

  it('names what a reload cannot change', async () => {
    await start(await configOf('{}'));
    const link = await relay.welcome();
    const more = 'maxPulls: 3\ninstance: b\nlog: { level: debug }\nlabels: { a: b }\n';
    expect(await agent.reload(await configOf('{}', more))).toEqual([
      'instance',
      'maxPulls',
      'controlSocket', // it follows the instance
    ]);
    expect(await link.next('hello')).toMatchObject({ instance: 'main', labels: { a: 'b' } });
  });

  it('keeps everything where a source of the new configuration cannot be opened', async () => {
    await start(await configOf(files('logs')));
    await relay.welcome();
    const next = await configOf(`${files('other')}
  metrics: { kind: http, url: 'http://127.0.0.1:1', headers: { a: { env: NOT_SET } } }`);
    await expect(agent.reload(next)).rejects.toThrow('NOT_SET');
    expect(agent.snapshot().sources).toEqual(['logs']);
  });

  it('keeps everything where the new sources do not fit into a hello', async () => {
    await start(await configOf(files('logs')));
    await relay.welcome();
    const methods = Array.from({ length: 30 }, (_, i) => `METHOD-${i}`).join(', ');
    const many = Array.from(
      { length: 128 },
      (_, i) => `
  s${i}: { kind: http, url: 'http://127.0.0.1:1', allow: [{ methods: [${methods}], paths: [/] }] }`,
    );
    const next = await configOf(many.join(''));
    await expect(agent.reload(next)).rejects.toThrow('fit into a hello of pullwire.v1+');
    expect(agent.snapshot().sources).toEqual(['logs']);
  });

  it('leaves no socket behind when it is stopped', async () => {
    await start(await configOf(files('logs')));
    const link = await relay.welcome();
    await agent.stop();
    await link.closed;
    expect(agent.snapshot()).toMatchObject({ link: { state: 'closed' }, sources: [] });
  });
});
