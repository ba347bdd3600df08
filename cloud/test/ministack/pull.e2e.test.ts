import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { systemClock } from '@pullwire/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { S3ObjectStore } from '../../src/object/s3-object-store.ts';
import { DynamoReadingTable } from '../../src/reading/dynamo-reading-table.ts';
import { bodyKey } from '../../src/reading/reading-bodies.ts';
import { reading } from '../../src/reading/reading-sample.ts';
import { ReadingWriter } from '../../src/reading/reading-writer.ts';
import { buildPrograms } from './build-programs.ts';
import { invokeFunction } from './deploy-http.ts';
import { describeWithMinistack } from './describe-with-ministack.ts';
import { MinistackWorld } from './ministack-world.ts';
import type { Passage } from './tap.ts';

/** The functions and the agent as they ship, on an AWS that others wrote. */
describeWithMinistack('on ministack, with what ships', () => {
  const random = randomBytes(5_000_000);
  const passages: Passage[] = [];
  let origin: Server;
  let world: MinistackWorld;

  beforeAll(async () => {
    await buildPrograms();
    origin = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://origin');
      response.setHeader('X-Seen', `${request.method} ${request.url}`);
      if (url.pathname === '/echo') return void request.pipe(response);
      response.end(random.subarray(0, Number(url.searchParams.get('bytes') ?? 120)));
    });
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    world = await MinistackWorld.start({
      sources: {
        web: { kind: 'http', url, allow: [{ methods: ['GET', 'POST'], paths: ['/**'] }] },
      },
      told: (passage) => passages.push(passage),
    });
  }, 60_000);
  afterAll(async () => {
    await world?.stop();
    origin?.closeAllConnections();
    origin?.close();
  });

  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const expectReply = async (bytes: number): Promise<Response> => {
    const answer = await world.pull('web', `/file?bytes=${bytes}`);
    const body = new Uint8Array(await answer.arrayBuffer());
    expect(answer.status, Buffer.from(body.subarray(0, 500)).toString()).toBe(200);
    expect(hash(body)).toBe(hash(random.subarray(0, bytes)));
    return answer;
  };

  it('a pull comes back with the answer of the device', async () => {
    const answer = await expectReply(1_000);
    expect(answer.headers.get('x-seen')).toBe('GET /file?bytes=1000');
    expect(answer.headers.get('pullwire-answered-by')).toBe('upstream');
    expect(answer.headers.get('server-timing')).toContain('upstream');
  });

  it('a warm pull is one post to the agent and one back, and asks no table', async () => {
    await expectReply(1_000);
    passages.length = 0;
    await expectReply(1_000);
    const requests = passages.filter((passage) => passage.kind === 'request');
    expect(requests.filter(({ path }) => path.includes('/@connections/'))).toHaveLength(2);
    expect(requests.filter(({ operation }) => operation?.startsWith('DynamoDB'))).toEqual([]);
  });

  it('a request body goes there and comes back', async () => {
    const body = random.subarray(0, 60_000);
    const answer = await world.pull('web', '/echo', { method: 'POST', body });
    expect(answer.status).toBe(200);
    expect(hash(new Uint8Array(await answer.arrayBuffer()))).toBe(hash(body));
  });

  it('a reply of 80 KB comes in frames', async () => {
    await expectReply(80_000);
  });

  it('a reply of 5 MB comes by object storage', async () => {
    await expectReply(5_000_000);
  });

  it('pulls beside each other do not mix', async () => {
    const sizes = Array.from({ length: 4 }, (_, index) => 1_000 + index * 6_000);
    await Promise.all(sizes.map(expectReply));
  });

  it('who may not ask is told so, and an unknown device is not found', async () => {
    const headers = { 'Pullwire-Key': 'pwk_AAAAAA_nothing' };
    expect((await world.pull('web', '/file', { headers })).status).toBe(401);
    expect((await world.ask('/devices/plant-9/sources/web/file')).status).toBe(404);
  });

  it('the sweep removes what a device has left that is not known any more', async () => {
    const { functions, table, bucket } = world.relay;
    const { credentials, ...place } = world.ministack.client;
    const client = new DynamoDBClient(world.ministack.client);
    const bodies = new S3ObjectStore({
      ...{ ...place, bucket, clock: systemClock, random: Math.random },
      credentials: { ...credentials, sessionToken: undefined },
    });
    const readingTable = new DynamoReadingTable({ client, name: table });
    const wall = () => Date.now();
    const writer = new ReadingWriter({ readingTable, bodies, wall, retentionDays: 1 });
    const [small, large] = [
      reading({ at: wall() }),
      reading({ at: wall() + 1, body: Buffer.alloc(9_000) }),
    ];
    for (const device of ['plant-gone', world.device]) await writer.put(device, [small, large]);
    const sweep = () => invokeFunction(world.ministack, functions['sweep'] ?? '', {});
    expect(await sweep()).toMatchObject({ readings: 2 });
    expect(await sweep()).toMatchObject({ readings: 0 });
    expect(await readingTable.reading('plant-gone', small)).toBeUndefined();
    await expect(bodies.open(bodyKey('plant-gone', large))).rejects.toMatchObject({
      code: 'missing',
    });
    expect(await readingTable.reading(world.device, large)).toMatchObject({ length: 9_000 });
    bodies.stop();
    client.destroy();
  });

  it('a device that leaves is offline, and one that comes back is connected', async () => {
    const presence = async (): Promise<unknown> => {
      const answer = await world.ask(`/devices/${world.device}`);
      return ((await answer.json()) as { presence?: string }).presence;
    };
    expect(await presence()).toBe('connected');
    await world.stopAgent();
    await expect.poll(presence, { timeout: 15_000 }).toBe('offline');
    expect((await world.pull('web', '/file')).status).toBe(503);
    await world.startAgent();
    await expect.poll(presence, { timeout: 15_000 }).toBe('connected');
    // An environment of the http function may believe for 10 s what it looked up before.
    const status = async () => (await world.pull('web', '/file')).status;
    await expect.poll(status, { timeout: 15_000 }).toBe(200);
  });

  it('no log holds a secret', async () => {
    const logs = (await world.functionLogs()) + JSON.stringify(world.agent.lines);
    expect(logs).not.toContain(world.callerKey);
    expect(logs).not.toContain('Bearer ');
  });
});
