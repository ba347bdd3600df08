import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import { systemClock } from '@pullwire/shared';
import { describe, expect, it } from 'vitest';
import { FakeRelay } from './fake-relay.ts';
import { LinkSocket } from './link-socket.ts';
import { loopbackCertificate } from './loopback-certificate.ts';

function dial(url: string, ca?: string): LinkSocket {
  return new LinkSocket(url, ['pullwire.v1+bin'], {
    headers: {},
    secureContext: createSecureContext({ ca, minVersion: 'TLSv1.2' }),
    clock: systemClock,
    handshakeMs: 5_000,
    closeMs: 1_000,
  });
}

describe('LinkSocket', () => {
  it.each([
    ['ws', createHttpServer],
    ['wss', () => createHttpsServer(loopbackCertificate)],
  ])(
    'counts over %s: what came in, what went out, what the kernel has not taken',
    async (scheme, create) => {
      const relay = new FakeRelay(undefined, create());
      await relay.start();
      const socket = dial(`${scheme}://localhost:${relay.port}/link`, loopbackCertificate.cert);
      const [link] = await Promise.all([relay.link(), once(socket, 'open')]);
      link.transport.pause();
      const before = socket.movement();
      // A message without end, so that the relay has nothing to decode.
      socket.send(Buffer.alloc(20_000_000), { fin: false });
      const stuck = socket.movement();
      expect(stuck.waiting).toBeGreaterThan(0);
      expect(stuck.inKernelQueue).toBeGreaterThan(0);
      expect(stuck.sent).toBe(before.sent);
      const drained = once(socket.transport, 'drain');
      link.transport.resume();
      await drained;
      const after = socket.movement();
      expect(after.waiting).toBe(0);
      expect(after.inKernelQueue).toBe(0);
      expect(after.sent - before.sent).toBeGreaterThanOrEqual(20_000_000);
      const pong = once(socket, 'pong');
      socket.ping();
      await pong;
      expect(socket.movement().received).toBeGreaterThan(before.received);
      socket.terminate();
      await relay.stop();
    },
  );

  it('does not link to a relay whose certificate it cannot check', async () => {
    const relay = new FakeRelay(undefined, createHttpsServer(loopbackCertificate));
    await relay.start();
    const socket = dial(`wss://localhost:${relay.port}/link`);
    expect(await socket.ended).toEqual({
      cause: 'unreachable',
      reason: expect.stringMatching(/self-signed certificate/),
    });
    await relay.stop();
  });

  it('does not link over TLS 1.1', async () => {
    const old = { ...loopbackCertificate, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' } as const;
    const relay = new FakeRelay(
      undefined,
      createHttpsServer({ ...old, ciphers: 'ALL@SECLEVEL=0' }),
    );
    await relay.start();
    const socket = dial(`wss://localhost:${relay.port}/link`, loopbackCertificate.cert);
    expect(await socket.ended).toMatchObject({ cause: 'unreachable' });
    expect(relay.requests).toHaveLength(0);
    await relay.stop();
  });
});
