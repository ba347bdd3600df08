import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CloudWorld } from './src/cloud-world.ts';

/** `/bytes/N` answers N bytes, `/echo` what it was sent. */
async function startOrigin(): Promise<Server> {
  const server = createServer((request, response) => {
    const bytes = /^\/bytes\/(\d+)$/.exec(request.url ?? '')?.[1];
    if (bytes !== undefined) {
      response.end(Buffer.alloc(Number(bytes), 'x'));
    } else {
      response.setHeader('Set-Cookie', ['a=1', 'b=2']);
      request.pipe(response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe('a pull through API Gateway and Lambda', () => {
  let origin: Server;
  let world: CloudWorld;
  beforeAll(async () => {
    origin = await startOrigin();
    const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    const allow = [{ paths: ['/**'], methods: ['GET', 'POST'] }];
    world = await CloudWorld.start({ sources: { web: { kind: 'http', url, allow } } });
  });
  afterAll(async () => {
    await world?.stop();
    origin.close();
  });

  test('comes back whole', async () => {
    const answer = await world.pull('web', '/bytes/1000');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('pullwire-answered-by')).toBe('upstream');
    expect((await answer.arrayBuffer()).byteLength).toBe(1_000);
  });

  test('warm and small, costs no read and no write, one post each way and one message', async () => {
    await world.pull('web', '/bytes/1000');
    const { aws } = world;
    const [reads, writes, before] = [
      aws.table.reads,
      aws.table.writes,
      aws.gateway.counts.snapshot(),
    ];
    const answer = await world.pull('web', '/bytes/1000');
    expect(answer.status).toBe(200);
    await aws.gateway.settled();
    const cost = aws.gateway.counts.since(before);
    expect([aws.table.reads - reads, aws.table.writes - writes]).toEqual([0, 0]);
    expect([cost.posts, cost.messages, cost.invocations]).toEqual([2, 1, { message: 1 }]);
  });

  test('of 80 KB stays inline', async () => {
    const before = world.aws.gateway.counts.snapshot();
    const answer = await world.pull('web', '/bytes/80000');
    expect((await answer.arrayBuffer()).byteLength).toBe(80_000);
    await world.aws.gateway.settled();
    expect(world.aws.gateway.counts.since(before).invocations).toEqual({ message: 4 });
  });

  test.each([
    [5_000_000, 1],
    [20_000_000, 3],
  ])(
    'of %i bytes goes by object storage, in %i parts, and leaves nothing there',
    async (bytes, parts) => {
      const before = world.aws.gateway.counts.snapshot();
      const answer = await world.pull('web', `/bytes/${bytes}`);
      expect(answer.status).toBe(200);
      const body = Buffer.from(await answer.arrayBuffer());
      expect(body.equals(Buffer.alloc(bytes, 'x'))).toBe(true);
      await world.aws.gateway.settled();
      // head, an upload a part, complete
      expect(world.aws.gateway.counts.since(before).invocations).toEqual({ message: 2 + parts });
      expect(await world.aws.storedObjects()).toEqual([]);
    },
  );

  test('brings a request body, and cookies back', async () => {
    const body = 'y'.repeat(60_000);
    const answer = await world.pull('web', '/echo', { method: 'POST', body });
    expect(await answer.text()).toBe(body);
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  test('of what nobody knows or allows is refused as on one box', async () => {
    expect((await world.pull('web', '/x', {}, 'plant-9')).status).toBe(404);
    expect((await world.pull('nothing', '/x')).status).toBe(404);
    const refused = await world.pull('web', '/x', { method: 'DELETE' });
    expect([refused.status, refused.headers.get('pullwire-answered-by')]).toEqual([403, 'agent']);
  });
});
