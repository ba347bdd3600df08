import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Origin } from './src/origin.ts';
import { allowedDifferences, transparencyCases } from './src/transparency-case.ts';
import { differencesOf, explain } from './src/transparency-difference.ts';
import { play, type Way } from './src/transparency-exchange.ts';
import { World } from './src/world.ts';

const always = allowedDifferences.filter((difference) => difference.always).map(({ id }) => id);

/** The relay's word that it, or the agent, answered. */
const problemType = 'application/problem+json';

describe.each(['bin', 'json'])(
  'a pull over pullwire.v1+%s passes through as it is:',
  (encoding) => {
    let origin: Origin;
    let world: World;
    let direct: Way;
    let relayed: Way;
    const met = new Set<string>();

    beforeAll(async () => {
      origin = await Origin.start();
      world = await World.start({
        agent: { encodings: [encoding] },
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
      };
    });
    afterAll(async () => {
      await world.stop();
      await origin.stop();
    });

    it.each(transparencyCases.filter((line) => line.refused === undefined))(
      '$name',
      async (line) => {
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
      },
    );

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
  },
);

function methodsOf(cases: typeof transparencyCases): string[] {
  return [...new Set(cases.map(({ request }) => request.method ?? 'GET'))];
}
