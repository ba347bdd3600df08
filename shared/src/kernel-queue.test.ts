import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { unacknowledgedBytes } from './kernel-queue.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0).reverse()) stop();
});

/** Two ends of a TCP connection. */
async function pair(host: string): Promise<[Socket, Socket]> {
  const server: Server = createServer({ pauseOnConnect: true });
  server.listen(0, host);
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, host);
  const [far] = (await once(server, 'connection')) as [Socket];
  stops.push(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [near, far];
}

describe.skipIf(!existsSync('/proc/self/net/tcp'))('what the peer has not acknowledged', () => {
  test.each(['127.0.0.1', '::1'])(
    'grows while the peer at %s reads nothing, and is 0 when it has',
    async (host) => {
      const [near, far] = await pair(host);
      expect(unacknowledgedBytes(near)).toBe(0);
      near.write(Buffer.alloc(32 * 1_048_576));
      await expect.poll(() => unacknowledgedBytes(near)).toBeGreaterThan(100_000);
      far.resume();
      await expect.poll(() => unacknowledgedBytes(near), { timeout: 10_000 }).toBe(0);
    },
  );
});

test('nobody can tell of a socket that is not connected, or not any more', async () => {
  expect(unacknowledgedBytes(new Socket())).toBeUndefined();
  const [near] = await pair('127.0.0.1');
  near.destroy();
  expect(unacknowledgedBytes(near)).toBeUndefined();
});
