import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CertificateFiles, makeCertificate, renewCertificate } from './src/certificate.ts';
import { command } from './src/program.ts';
import { pullByTls } from './src/pull-by-tls.ts';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';
import { World } from './src/world.ts';

let folder: string;
let files: CertificateFiles;
let world: World;
let origin: TinyOrigin;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pullwire-tls-'));
  files = makeCertificate(folder, 'first');
  origin = await createOrigin();
  world = await World.start({
    scheme: 'https',
    sources: { web: { kind: 'http', url: origin.url, allow: [{ paths: ['/**'] }] } },
    agent: { ca: files.cert },
    relayArgs: ['--tls-cert', files.cert, '--tls-key', files.key],
  });
});
afterAll(async () => {
  await world.stop();
  await origin.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The subject of the certificate that a new connection is shown. */
function shownSubject(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: '127.0.0.1', port: world.port, rejectUnauthorized: false },
      () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });
}

const pull = (ca: Buffer): Promise<string> =>
  pullByTls({ port: world.port, path: world.path('web', '/x'), key: world.callerKey, ca });

test('agent and caller reach the relay over TLS', async () => {
  expect(await pull(readFileSync(files.cert))).toBe('200 GET /x');
});

test('nothing under TLS 1.2 is spoken', async () => {
  const refused = new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port: world.port,
      rejectUnauthorized: false,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    socket.on('secureConnect', () => resolve('connected'));
    socket.on('error', () => resolve('refused'));
  });
  expect(await refused).toBe('refused');
});

test('a renewed certificate is taken into use without a restart, and no link is lost', async () => {
  expect(await shownSubject()).toBe('first');
  const said = world.relay.line('certificate renewed');
  const next = makeCertificate(folder, 'second');
  const ca = readFileSync(next.cert);
  renewCertificate(files, next);
  await said;
  expect(await shownSubject()).toBe('second');
  expect(await pull(ca)).toBe('200 GET /x');
});

test('a relay does not listen in the clear off loopback unless told to', async () => {
  const { code, stderr } = await command('relay', [
    'serve',
    '--listen',
    '0.0.0.0:0',
    '--data',
    join(folder, 'never'),
  ]);
  expect(code).toBe(2);
  for (const way of ['tls', 'trusted-proxy', 'insecure']) expect(stderr).toContain(way);
});

test('an agent does not dial in the clear off loopback unless told to', async () => {
  world.writeAgentConfig({}, { relay: 'ws://relay.example:8080/link' });
  const { code, stderr } = await command('agent', ['run', '--config', world.agentConfigFile]);
  expect(code).toBe(2);
  expect(stderr).toContain('insecure');
});
