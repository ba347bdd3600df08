import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate } from './src/certificate.ts';
import { Origin } from './src/origin.ts';
import { allowedDifferences, transparencyCases } from './src/transparency-case.ts';
import { differencesOf, explain } from './src/transparency-difference.ts';
import { play, type Way } from './src/transparency-exchange.ts';
import { World } from './src/world.ts';

const always = allowedDifferences.filter((difference) => difference.always).map(({ id }) => id);

/** The relay's word that it, or the agent, answered. */
const problemType = 'application/problem+json';

describe.each([
  { over: 'pullwire.v1+bin', encoding: 'bin', tls: false },
  { over: 'pullwire.v1+json', encoding: 'json', tls: false },
  { over: 'TLS', encoding: 'bin', tls: true },
])('a pull over $over passes through as it is:', ({ encoding, tls }) => {
  let folder: string;
  let origin: Origin;
  let world: World;
  let direct: Way;
  let relayed: Way;
  const met = new Set<string>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pullwire-transparency-'));
    origin = await Origin.start();
    const files = tls ? makeCertificate(folder, 'relay') : undefined;
    world = await World.start({
      agent: { encodings: [encoding], ...(files && { ca: files.cert }) },
      ...(files && {
        scheme: 'https',
        relayArgs: ['--tls-cert', files.cert, '--tls-key', files.key],
      }),
      sources: {
        origin: {
          kind: 'http',
          url: origin.url,
          allow: [{ methods: methodsOf(transparencyCases), paths: ['/**'] }],
        },
      },
    });
    direct = { port: origin.port, prefix: '', headers: [] };
    relayed = {
      port: world.port,
      prefix: world.path('origin', ''),
      headers: [`Pullwire-Key: ${world.callerKey}`],
      ...(files && { ca: readFileSync(files.cert, 'utf8') }),
    };
  });
  afterAll(async () => {
    await world?.stop();
    await origin?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(transparencyCases.filter((line) => line.refused === undefined))('$name', async (line) => {
    const differences = differencesOf(
      await play(line, direct, origin),
      await play(line, relayed, origin),
    );
    const allowed = allowedDifferences.filter(
      ({ id }) => always.includes(id) || line.differences?.includes(id),
    );
    const { ids, unexplained } = explain(differences, allowed);
    for (const id of ids) met.add(id);
    expect(unexplained).toEqual([]);
    expect([...ids]).toEqual(expect.arrayContaining([...(line.differences ?? [])]));
  });

  it.each(transparencyCases.filter((line) => line.refused !== undefined))(
    '$name is refused',
    async (line) => {
      const { reply, seen } = await play(line, relayed, origin);
      expect(reply.status).toBe(line.refused?.status);
      expect(reply.headers).toContain(problemType);
      expect(JSON.parse(reply.bytes.toString())).toMatchObject({ code: line.refused?.code });
      expect(seen !== undefined).toBe(line.reply !== undefined);
    },
  );

  it('and each difference that is allowed is met', () => {
    expect([...met].sort()).toEqual(allowedDifferences.map(({ id }) => id).sort());
  });
});

function methodsOf(cases: typeof transparencyCases): string[] {
  return [...new Set(cases.map(({ request }) => request.method ?? 'GET'))];
}
