import { randomBytes, randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HandAgent } from './src/hand-agent.ts';
import {
  HandSpool,
  pieceFrames,
  printOf,
  readingFrame,
  type SpooledReading,
  storedOf,
} from './src/hand-spool.ts';
import {
  bodyOf,
  type ReadingStage,
  readAll,
  readingHosts,
  startReadingStage,
  toldPrint,
} from './src/reading-stage.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const rounds = long ? 10 : 3;

/** The schedules of this run began an hour ago. */
const began = Date.now() - 3_600_000;

function readings(schedule: string, count: number, bytes = 200): SpooledReading[] {
  return Array.from({ length: count }, (_, at) => ({
    ...{ schedule, at: began + at * 1_000, path: `/${schedule}` },
    body: randomBytes(1 + randomInt(bytes)),
  }));
}

describe.each(readingHosts)('readings on %s', (name) => {
  let stage: ReadingStage;
  let agent: HandAgent;

  beforeAll(async () => {
    stage = await startReadingStage(name);
    agent = await stage.link();
  });

  afterAll(async () => {
    agent?.terminate();
    await stage?.stop();
  });

  const path = () => `/devices/${stage.device}/readings`;
  const problemOf = async (answer: Response) =>
    `${answer.status} ${((await answer.json()) as { code: string }).code}`;

  test('are there once, as they were sent, however often they are', async () => {
    const spooled = [...readings('often', 300), ...readings('large', 3, 14_000)];
    for (let time = 0; time < 2; time += 1) {
      const spool = new HandSpool();
      spool.add(spooled);
      await spool.drain(agent);
      expect(spool.size).toBe(0);
    }
    const told = [
      ...(await readAll(stage, '&path=/often')),
      ...(await readAll(stage, '&path=/large')),
    ];
    expect(told.map(toldPrint).sort()).toEqual(spooled.map(printOf).sort());
    expect(told[0]).toMatchObject({
      source: 'metrics',
      status: 200,
      headers: [['Content-Type', 'text/plain']],
    });
  });

  test('that come in pieces show when the last one is there', async () => {
    const [reading] = readings('pieces', 1) as [SpooledReading];
    const body = Buffer.from('täglich €5 😀\n'.repeat(10_000));
    const frames = pieceFrames(1_000, { ...reading, body }, 15_001);
    for (const frame of frames.slice(0, -1)) {
      expect(await readAll(stage, '&path=/pieces')).toEqual([]);
      agent.send(frame);
      await storedOf(agent, frame['batch']);
    }
    agent.send(frames.at(-1) ?? '');
    await storedOf(agent, frames.at(-1)?.['batch']);
    const told = await readAll(stage, '&path=/pieces');
    expect(told).toMatchObject([{ encoding: 'utf-8', length: body.length }]);
    expect(bodyOf(told[0] as (typeof told)[0]).equals(body)).toBe(true);
  });

  test('that are refused for good are named, and the others of their batch stored', async () => {
    const [good] = readings('some', 1) as [SpooledReading];
    const day = 86_400_000;
    const old = { ...good, at: Date.now() - 31 * day };
    const ahead = { ...good, at: Date.now() + 2 * day };
    agent.send(readingFrame(2_000, [old, good, ahead]));
    expect(await storedOf(agent, 2_000)).toEqual({
      action: 'stored',
      batch: 2_000,
      refused: [
        { index: 0, code: 'too-old', detail: expect.any(String) },
        { index: 2, code: 'in-future', detail: expect.stringContaining('clock') },
      ],
    });
    expect((await readAll(stage, '&path=/some')).map(toldPrint)).toEqual([printOf(good)]);
  });

  test('come in pages, by time, and the newest of them alone', async () => {
    const spool = new HandSpool();
    const spooled = readings('paged', 25);
    spool.add(spooled);
    await spool.drain(agent);
    const times: string[] = [];
    let cursor = '';
    do {
      const answer = await stage.get(`${path()}?path=/paged&limit=10${cursor}`);
      expect(answer.headers.get('content-type')).toBe('application/json');
      const page = (await answer.json()) as { readings: { at: string }[]; next?: string };
      times.push(...page.readings.map(({ at }) => at));
      cursor = page.next === undefined ? '' : `&cursor=${page.next}`;
    } while (cursor !== '');
    expect(times).toEqual(spooled.map(({ at }) => new Date(at).toISOString()));
    const since = encodeURIComponent(new Date(began + 5_000).toISOString());
    const few = await readAll(stage, `&path=/paged&since=${since}&until=${began + 8_000}`);
    expect(few.map(({ at }) => Date.parse(at) - began)).toEqual([5_000, 6_000, 7_000]);
    const latest = await stage.get(`${path()}/latest?source=metrics&path=/paged`);
    expect(await latest.json()).toMatchObject({ at: times.at(-1), path: '/paged' });
  });

  test('are those of sources that the caller may pull', async () => {
    const metrics = { 'Pullwire-Key': await stage.addKey('metrics') };
    const other = { 'Pullwire-Key': await stage.addKey('other') };
    const list = await stage.get(`${path()}?limit=1`, metrics);
    expect(((await list.json()) as { readings: object[] }).readings).toHaveLength(1);
    const none = (await (await stage.get(path(), other)).json()) as { readings: object[] };
    expect(none.readings).toEqual([]);
    const latest = `${path()}/latest?source=metrics&path=/paged`;
    expect(await problemOf(await stage.get(latest, other))).toBe('404 not-found');
    expect(await problemOf(await stage.get(`${path()}?source=metrics`, other))).toBe(
      '404 not-found',
    );
    expect((await stage.get(latest, metrics)).status).toBe(200);
  });

  test('that are asked for in a wrong way are told what is wrong', async () => {
    const ask = async (query: string, headers = {}) =>
      problemOf(await stage.get(path() + query, headers));
    expect(await ask('?limit=0')).toBe('400 bad-request');
    expect(await ask('?since=yesterday')).toBe('400 bad-request');
    expect(await ask('?cursor=x')).toBe('400 bad-request');
    expect(await ask('?sources=metrics')).toBe('400 bad-request');
    expect(await ask('', { Accept: 'text/html' })).toBe('406 not-acceptable');
    expect(await ask('/latest')).toBe('400 bad-request');
    expect(await ask('/latest?source=metrics&path=/none')).toBe('404 reading-unknown');
    expect(await ask('', { 'Pullwire-Key': 'pwk_abcdef_no' })).toBe('401 caller-unauthenticated');
    const head = await fetch(new URL(path(), (await stage.get(path())).url), {
      method: 'HEAD',
    });
    expect(head.status).toBe(401);
  });

  test(`nothing is lost and nothing twice where the relay dies ${rounds} times on the way`, async () => {
    const all: SpooledReading[] = [];
    const spool = new HandSpool();
    let losses = 0;
    for (let round = 0; round < rounds; round += 1) {
      const some = readings(`round-${round}`, 150);
      all.push(...some);
      spool.add(some);
      stage.breakNext(round % 2 === 0 ? 'after' : 'before');
      const drained = spool.drain(agent).then(
        () => 'drained',
        () => 'lost',
      );
      // On a gateway the link stands, and one `stored` never comes: the agent looks again on the next link.
      await stage.mended();
      if (name !== 'one box') agent.terminate();
      if ((await drained) === 'lost') losses += 1;
      agent.terminate();
      agent = await stage.link();
      await spool.drain(agent);
      expect(spool.size).toBe(0);
    }
    const told = (await readAll(stage)).filter(({ schedule }) => schedule.startsWith('round-'));
    expect(told.map(toldPrint).sort()).toEqual(all.map(printOf).sort());
    expect(losses).toBeGreaterThan(0);
    expect(spool.counts.sent).toBeGreaterThan(spool.counts.stored);
  });
});
