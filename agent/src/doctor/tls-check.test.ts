import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DatedCertificate, DatedCertificates } from '../link/dated-certificates.ts';
import type { CheckLine } from './check.ts';
import { clockCheck } from './clock-check.ts';
import { configCheck } from './config-check.ts';
import { runChecks } from './run-checks.ts';
import { patientWith } from './sample-patient.ts';
import { tlsCheck } from './tls-check.ts';

const certificates = new DatedCertificates();
const day = 86_400_000;
const now = Math.floor(Date.now() / 1_000) * 1_000;
const usual = { from: now - 60 * day, to: now + 30 * day };
const stops: (() => Promise<void>)[] = [];
let folder: string;
let root: DatedCertificate;

beforeAll(async () => {
  await certificates.start();
  folder = await mkdtemp(join(tmpdir(), 'pullwire-doctor-'));
  root = await certificates.make('root', usual);
  await writeFile(join(folder, 'ca.pem'), root.cert);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
afterAll(async () => {
  await certificates.stop();
  await rm(folder, { recursive: true });
});

async function listen(server: Server, address = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  stops.push(async () => {
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

const serve = ({ cert, key }: DatedCertificate, address?: string): Promise<number> =>
  listen(
    createServer({ cert, key }, (_request, response) => response.end()),
    address,
  );

/** The lines of clock and TLS, at a relay by this name. */
async function examine(port: number, host = 'localhost'): Promise<Record<string, CheckLine>> {
  const file = join(folder, 'agent.json');
  const config = { relay: `wss://${host}:${port}`, device: 'plant-7', ca: join(folder, 'ca.pem') };
  await writeFile(file, JSON.stringify({ ...config, sources: {} }));
  const lines = await runChecks([configCheck, clockCheck, tlsCheck], patientWith(file));
  return Object.fromEntries(lines.map((line) => [line.component, line]));
}

describe('a certificate', () => {
  it('of the authority that is expected is named: subject, issuer, dates', async () => {
    const { tls, clock } = await examine(
      await serve(await certificates.make('good', { ...usual, issuer: 'root' })),
    );
    expect([clock?.state, tls?.state]).toEqual(['ok', 'ok']);
    const dates = [usual.from, usual.to].map((ms) => new Date(ms).toISOString().slice(0, 10));
    expect(tls?.details).toBe(
      `subject good, issuer root, valid from ${dates[0]} to ${dates[1]}; TLSv1.3`,
    );
  });

  it('that ends soon is a warning', async () => {
    const soon = { from: now - 60 * day, to: now + 2 * day, issuer: 'root' };
    const { tls } = await examine(await serve(await certificates.make('soon', soon)));
    expect(tls).toMatchObject({ state: 'warning', details: expect.stringMatching(/ends soon$/) });
  });

  it('that lives for a week is no warning on its second day', async () => {
    const short = { from: now - 2 * day, to: now + 5 * day, issuer: 'root' };
    const { tls } = await examine(await serve(await certificates.make('short', short)));
    expect(tls?.state).toBe('ok');
  });

  it('for another name has failed, and its names are told', async () => {
    const named = await certificates.make('named', { ...usual, issuer: 'root' });
    const { tls } = await examine(await serve(named, '127.0.0.2'), '127.0.0.2');
    expect(tls?.state).toBe('failed');
    expect(tls?.details).toContain('DNS:localhost, IP Address:127.0.0.1');
    expect(tls?.details).toContain('not for 127.0.0.2');
  });

  it('of another authority has failed, and who issued it is told', async () => {
    await certificates.make('Corp Inspection', usual);
    const opened = await certificates.make('opened', { ...usual, issuer: 'Corp Inspection' });
    const { tls } = await examine(await serve(opened));
    expect(tls?.state).toBe('failed');
    expect(tls?.details).toContain('is for localhost, but was issued by "Corp Inspection"');
    expect(tls?.advice).toContain('exempted from its inspection');
  });

  it('of its own making has failed, and is called so', async () => {
    const { tls } = await examine(await serve(await certificates.make('alone', usual)));
    expect(tls?.state).toBe('failed');
    expect(tls?.details).toContain('was issued by itself (alone)');
  });

  it('that has expired has failed, and the clock is right', async () => {
    const old = { from: now - 20 * day, to: now - 10 * day, issuer: 'root' };
    const { tls, clock } = await examine(await serve(await certificates.make('old', old)));
    expect([clock?.state, tls?.state]).toEqual(['ok', 'failed']);
    expect(tls?.details).toMatch(/its certificate has expired \(valid from /);
    expect(tls?.advice).toContain('renew');
  });
});

it('a port without TLS has failed, and tells no time', async () => {
  const port = await listen(createPlainServer((_request, response) => response.end()));
  const { tls, clock } = await examine(port);
  expect([clock?.state, tls?.state]).toEqual(['skipped', 'failed']);
  expect(tls?.details).toMatch(/^no TLS: /);
});
