import { readFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { RecordingReply } from '../../test/source/recording-reply.ts';
import { openFrom } from '../../test/source/source-deps.ts';
import { sourceRequest } from '../../test/source/source-request.ts';
import { TestUpstream } from '../../test/source/test-upstream.ts';

const tls = join(import.meta.dirname, '../../test/source/tls');
const pem = (name: string): string => join(tls, `${name}.pem`);
const identity = (name: string): ServerOptions => ({
  cert: readFileSync(pem(name)),
  key: readFileSync(pem(`${name}.key`)),
});

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(options: ServerOptions): Promise<TestUpstream> {
  const server = new TestUpstream(options).on('/x', (request, response) => {
    const { authorized } = request.socket as TLSSocket;
    response.end(
      `${request.headers.host} ${(request.socket as TLSSocket).getProtocol()} ${authorized}`,
    );
  });
  await server.listen();
  closers.push(() => server.close());
  return server;
}

async function ask(url: string, config: object, headers: string[]): Promise<RecordingReply> {
  const source = openFrom({ kind: 'http', url, ...config });
  closers.push(() => source.close());
  const reply = new RecordingReply();
  source.open(sourceRequest('/x', { headers }), reply);
  return reply.over();
}

const clients: [string, string[]][] = [
  ['undici', []],
  ['node:http', ['Expect', '100-continue']],
];

describe.each(clients)('an https upstream, with %s,', (_client, headers) => {
  const refused = { code: 'upstream-tls', stage: 'upstream-connect', status: 502 };

  it('is trusted by our own authority', async () => {
    const { port } = await serve(identity('server'));
    const reply = await ask(`https://127.0.0.1:${port}`, { ca: pem('ca') }, headers);
    expect(reply).toMatchObject({ text: `127.0.0.1:${port} TLSv1.3 false`, fault: undefined });
  });

  it('speaks TLS 1.2 at least', async () => {
    const old = await serve({ ...identity('server'), maxVersion: 'TLSv1.2' });
    const reply = await ask(`https://127.0.0.1:${old.port}`, { ca: pem('ca') }, headers);
    expect(reply.text).toContain('TLSv1.2');
    const older = await serve({
      ...identity('server'),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const no = await ask(`https://127.0.0.1:${older.port}`, { ca: pem('ca') }, headers);
    expect(no.fault).toMatchObject(refused);
  });

  it.each([
    ['of an authority that we do not know', 'server', {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['that has expired', 'expired', { ca: pem('ca') }, 'CERT_HAS_EXPIRED'],
    ['for another name', 'elsewhere', { ca: pem('ca') }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('with a certificate %s is refused', async (_what, name, config, reason) => {
    const { port } = await serve(identity(name));
    const reply = await ask(`https://127.0.0.1:${port}`, config, headers);
    expect(reply.fault).toMatchObject(refused);
    expect(reply.fault?.message).toContain(`source "test" (127.0.0.1:${port})`);
    expect(reply.fault?.message).toContain(reason);
  });

  it('is taken by the name that the configuration gives', async () => {
    const { port } = await serve(identity('elsewhere'));
    const config = { ca: pem('ca'), serverName: 'elsewhere.invalid' };
    const reply = await ask(`https://127.0.0.1:${port}`, config, headers);
    expect(reply).toMatchObject({ status: 200, fault: undefined });
  });

  it('sees our certificate, and refuses us without it', async () => {
    const ca = readFileSync(pem('ca'));
    const { port } = await serve({
      ...identity('server'),
      ca,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const config = { ca: pem('ca'), cert: pem('client'), key: pem('client.key') };
    const reply = await ask(`https://127.0.0.1:${port}`, config, headers);
    expect(reply.text).toContain('true');
    const without = await ask(`https://127.0.0.1:${port}`, { ca: pem('ca') }, headers);
    // With TLS 1.3 the refusal comes after the handshake; undici sees no more of it than a closed connection.
    expect(['upstream-tls', 'upstream-failed']).toContain(without.fault?.code);
  });

  it('that speaks no TLS is refused', async () => {
    const plain = await new TestUpstream().listen();
    closers.push(() => plain.close());
    const reply = await ask(`https://127.0.0.1:${plain.port}`, { ca: pem('ca') }, headers);
    expect(reply.fault).toMatchObject(refused);
  });
});

describe.each(clients)('an upstream that is not there, with %s,', (_client, headers) => {
  async function closedPort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  it('is unreachable, and the fault says where and why, without secrets', async () => {
    const port = await closedPort();
    const config = { headers: { Authorization: 'Bearer hunter2' } };
    for (const scheme of ['http', 'https']) {
      const reply = await ask(`${scheme}://127.0.0.1:${port}`, config, headers);
      expect(reply.fault).toMatchObject({
        code: 'upstream-unreachable',
        stage: 'upstream-connect',
        status: 502,
      });
      expect(reply.fault?.message).toBe(
        `source "test" (127.0.0.1:${port}) cannot be reached: connection refused (ECONNREFUSED)`,
      );
    }
  });

  it('may be a socket without a listener', async () => {
    const reply = await ask('unix:/nowhere/x.sock', {}, headers);
    expect(reply.fault?.code).toBe('upstream-unreachable');
    expect(reply.fault?.message).toContain('(/nowhere/x.sock)');
  });

  it('may be a name that does not exist', async () => {
    const reply = await ask('http://name.invalid', {}, headers);
    expect(reply.fault?.code).toBe('upstream-unreachable');
  });
});
