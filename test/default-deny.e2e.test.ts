import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routeMethods } from '../cloud/src/http/routes.ts';
import { binTypes } from '../shared/src/action.ts';
import { attackHosts } from './src/attack-host.ts';
import { AttackStage } from './src/attack-stage.ts';

/** A path of every route that a caller may ask; a route without one fails the first test. */
const pathOf: Readonly<Record<keyof typeof routeMethods, string | undefined>> = {
  pull: '/devices/plant-7/sources/web/x',
  devices: '/devices',
  device: '/devices/plant-7',
  readings: '/devices/plant-7/readings',
  'latest-reading': '/devices/plant-7/readings/latest?source=web',
  events: '/events',
  queuedPull: '/pulls/plant-7~AAECAwQFBgcICQoLDA0ODw',
  pullResult: '/pulls/plant-7~AAECAwQFBgcICQoLDA0ODw/result',
  uploads: '/uploads',
  enroll: '/enroll',
  link: undefined, // handshakes are in the table of attacks
  live: undefined, // without a key on purpose: for supervisors, and it says nothing else
  ready: undefined,
  unknown: '/admin',
  malformed: '/devices/%00',
};

type Route = keyof typeof routeMethods;

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const refusals = [400, 401, 403, 404, 405, 413];

/** Of a stream of events only its beginning: it does not end by itself. */
async function textOf(answer: Response): Promise<string> {
  const endless = answer.headers.get('content-type') === 'text/event-stream';
  if (!endless) return answer.text();
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return first?.value ?? '';
}

describe.each(attackHosts)('on %s', (name) => {
  let stage: AttackStage;

  beforeAll(async () => {
    stage = await AttackStage.start(name);
  });

  afterAll(async () => {
    await stage?.stop();
  });

  const ask = async (method: string, path: string, key?: string) => {
    const answer = await stage.ask(path, {
      method,
      headers: key === undefined ? {} : { 'Pullwire-Key': stage.fill(key) },
      redirect: 'manual',
    });
    return { status: answer.status, text: await textOf(answer) };
  };

  test.each(Object.entries(pathOf).filter(([, path]) => path !== undefined) as [string, string][])(
    'the route %s gives nothing to whoever has no credentials, or no grants',
    async (route, path) => {
      const before = stage.reached;
      for (const key of [undefined, '{key:nothing}']) {
        for (const method of methods) {
          const { status, text } = await ask(method, path, key);
          const open =
            ['/devices', '/events'].includes(path) && key !== undefined && status === 200;
          if (open && path === '/events') {
            expect(text).not.toContain('event:');
          } else if (open) {
            if (method !== 'HEAD') expect(JSON.parse(text)).toMatchObject({ devices: [] });
          } else {
            const taken = routeMethods[route as Route]?.includes(method) ?? true;
            // A request that is none, or whose method nobody takes, is refused before anything is looked up.
            const formal =
              !taken || route === 'malformed' || route === 'enroll' || route === 'uploads';
            const expected = formal ? refusals : [401, 404];
            expect([method, path, key, expected.includes(status)]).toEqual([
              method,
              path,
              key,
              true,
            ]);
          }
          // What the stage is made of is in no answer.
          for (const word of ['plantx', 'mallory', 'ed25519', '127.0.0.1', 'metrics'])
            expect(text).not.toContain(word);
        }
      }
      expect(stage.reached).toBe(before);
    },
  );

  test('a device that is not granted and one that is not there are the same to the byte', async () => {
    for (const path of [
      '',
      '?probe=1',
      '/readings',
      '/readings/latest',
      '/readings?limit=x',
      '/sources/web/x',
      '/sources/nothing/x',
    ]) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const there = await ask(method, `/devices/plant-7${path}`, '{key:nothing}');
        const nowhere = await ask(method, `/devices/plant-0${path}`, '{key:nothing}');
        expect([method, path, there]).toEqual([method, path, nowhere]);
      }
    }
  });

  test('the answers to an unknown key, a wrong one and an agent’s token differ in nothing that tells', async () => {
    const answers = await Promise.all(
      [`pwk_abcdef_${'A'.repeat(43)}`, `${stage.fill('{keyId:full}')}_${'A'.repeat(43)}`].map(
        (key) => ask('GET', '/devices', key),
      ),
    );
    expect(answers[0]).toEqual(answers[1]);
  });

  test.each(Object.keys(binTypes).filter((action) => action !== 'hello' && action !== 'bye'))(
    'a link that says %s before hello is ended, or gets nothing',
    async (action) => {
      const link = await stage.dial({ token: stage.token({ key: 'mallory' }) });
      link.send({ action, pullId: 'AAECAwQFBgcICQoLDA0ODw', replyTo: 'x', seq: 0 });
      if (name === 'one box') {
        expect(await link.next('bye')).toMatchObject({ code: 'protocol-error' });
      } else {
        // Nothing watches a gateway's socket for its hello; what the registry does not have as greeted gets no pulls.
        await stage.settled();
        expect(link.received.map((frame) => frame.action)).not.toContain('pull');
        expect((await stage.registry.link('mallory', 'main'))?.sources).toEqual([]);
      }
      link.terminate();
    },
  );
});
