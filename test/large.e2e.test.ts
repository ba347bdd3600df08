import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { largeBytes, writeLargeFile } from './src/large-file.ts';
import { Nginx } from './src/nginx.ts';
import { describeWith } from './src/tool.ts';
import { World } from './src/world.ts';

const gigabyte = 1_000_000_000;
const megabyte = 1_000_000;
const memoryLimit = 200 * megabyte;

describeWith(['nginx'], 'nginx behind an agent', ({ nginx: path }) => {
  let nginx: Nginx;
  let world: World;
  let sha256 = '';

  beforeAll(async () => {
    nginx = await Nginx.start(path, 'dav_methods PUT; client_max_body_size 200m;');
    mkdirSync(join(nginx.folder, 'www'));
    sha256 = writeLargeFile(join(nginx.folder, 'www', 'large'), gigabyte);
    world = await World.start({
      sources: {
        files: {
          kind: 'http',
          url: nginx.url,
          allow: [{ methods: ['GET', 'HEAD', 'PUT'], paths: ['/**'] }],
          limits: { requestBytes: '200MB' },
        },
      },
      relayEnv: { PULLWIRE_RELAY_LIMITS_REQUEST_BODY_BYTES: '200000000' },
    });
  });
  afterAll(async () => {
    await world?.stop();
    await nginx?.stop();
  });

  /** A request at nginx itself or through the relay, with its body read by nobody yet. */
  async function ask(
    way: 'direct' | 'relayed',
    target: string,
    {
      method = 'GET',
      headers = {},
      body,
    }: { method?: string; headers?: OutgoingHttpHeaders; body?: Readable } = {},
  ): Promise<IncomingMessage> {
    const place =
      way === 'direct'
        ? { socketPath: nginx.socketPath, path: target, headers }
        : {
            port: world.port,
            path: world.path('files', target),
            headers: { ...headers, 'Pullwire-Key': world.callerKey },
          };
    const client = request({ ...place, method, agent: false });
    const answered = once(client, 'response') as Promise<[IncomingMessage]>;
    if (body === undefined) client.end();
    else await pipeline(body, client);
    const [answer] = await answered;
    return answer;
  }

  it('serves 1 GB whose SHA-256 is right, in less than 200 MB of memory each', async () => {
    const answer = await ask('relayed', '/large');
    expect(answer.headers['content-length']).toBe(String(gigabyte));
    expect(await sha256Of(answer)).toBe(sha256);
    expect(world.relay.peakResidentBytes).toBeLessThan(memoryLimit);
    expect(world.agent.peakResidentBytes).toBeLessThan(memoryLimit);
  });

  it('takes 100 MB in chunks, in less than 200 MB of memory each', async () => {
    const bytes = 100 * megabyte;
    const answer = await ask('relayed', '/uploaded', {
      method: 'PUT',
      body: Readable.from(largeBytes(bytes)),
    });
    answer.resume();
    expect(answer.statusCode).toBe(201);
    const stored = await ask('direct', '/uploaded');
    expect(await sha256Of(stored)).toBe(await sha256Of(Readable.from(largeBytes(bytes))));
    expect(world.relay.peakResidentBytes).toBeLessThan(memoryLimit);
    expect(world.agent.peakResidentBytes).toBeLessThan(memoryLimit);
  });

  it.each([
    ['the first bytes', '/large', 'bytes=0-99'],
    ['the last bytes', '/large', 'bytes=-100'],
    ['bytes beyond 512 MB', '/large', 'bytes=600000000-600999999'],
    ['several ranges', '/large', 'bytes=5-9,70000-70099,-7'],
    ['a range that cannot be satisfied', '/large', 'bytes=2000000000-'],
    ['a range of nothing that is there', '/missing', 'bytes=0-1'],
  ])('answers %s as it does itself', async (_what, target, range) => {
    const [direct, relayed] = await Promise.all([
      ask('direct', target, { headers: { Range: range } }).then(digest),
      ask('relayed', target, { headers: { Range: range } }).then(digest),
    ]);
    expect(relayed).toEqual(direct);
  });

  it('answers a condition as it does itself', async () => {
    const { etag } = (await ask('direct', '/large', { method: 'HEAD' })).headers;
    const headers = { 'If-None-Match': etag };
    const [direct, relayed] = await Promise.all([
      ask('direct', '/large', { headers }).then(digest),
      ask('relayed', '/large', { headers }).then(digest),
    ]);
    expect(direct.status).toBe(304);
    expect(relayed).toEqual(direct);
  });
});

async function sha256Of(body: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of body) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** What of an answer must be the same on both ways; its boundary is nginx's to choose anew each time. */
async function digest(answer: IncomingMessage) {
  const { statusCode: status, statusMessage: reason, headers } = answer;
  const boundary = /boundary=(\S+)/.exec(headers['content-type'] ?? '')?.[1] ?? 'none';
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces).toString('latin1').replaceAll(boundary, 'B');
  return {
    status,
    reason,
    type: headers['content-type']?.replace(boundary, 'B'),
    length: headers['content-length'],
    range: headers['content-range'],
    etag: headers.etag,
    modified: headers['last-modified'],
    sha256: createHash('sha256').update(body, 'latin1').digest('hex'),
  };
}
