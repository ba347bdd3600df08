import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HandAgent, WireFrame } from './src/hand-agent.ts';
import { storedOf } from './src/hand-spool.ts';
import { type ReadingStage, readingHosts, startReadingStage } from './src/reading-stage.ts';

/** Of the reading, in seconds. */
const age = 90;

describe.each(readingHosts)('respond-async of a caller who takes stored answers, on %s', (name) => {
  let stage: ReadingStage;
  let agent: HandAgent;

  const ask = (path: string, cacheControl: string, prefer = 'respond-async') =>
    stage.get(`/devices/${stage.device}/sources/metrics${path}`, {
      ...{ 'Cache-Control': cacheControl, Prefer: prefer },
    });
  const answerOf = async (response: Response) => [response.status, await response.text()];

  const seen = new Set<unknown>();

  /** A gateway may bring one twice. */
  async function nextPull(): Promise<WireFrame> {
    for (;;) {
      const pull = await agent.next('pull');
      if (seen.has(pull['pullId'])) continue;
      seen.add(pull['pullId']);
      return pull;
    }
  }

  function reply({ pullId, replyTo }: WireFrame, status: number, body: string): void {
    const content = { headers: [], end: true, body: Buffer.from(body).toString('base64') };
    agent.send({ action: 'head', pullId, replyTo, seq: 0, status, ...content });
  }

  beforeAll(async () => {
    stage = await startReadingStage(name);
    agent = await stage.link();
    const at = Date.now() - age * 1_000;
    const reading = { schedule: 's', at, source: 'metrics', path: '/m', ms: 7, status: 200 };
    agent.send({
      ...{ action: 'reading', batch: 1, readings: [{ ...reading, headers: [], length: 4 }] },
      body: Buffer.from('last').toString('base64'),
    });
    await storedOf(agent, 1);
    agent.terminate();
  });
  afterAll(async () => {
    agent?.terminate();
    await stage?.stop();
  });

  test('what may be given at once is given at once, and nothing is queued', async () => {
    for (const said of ['max-stale=3600', 'only-if-cached']) {
      const response = await ask('/m', said);
      expect(await answerOf(response)).toEqual([200, 'last']);
      expect(response.headers.get('preference-applied')).toBeNull();
      expect(response.headers.get('cache-status')).toMatch(/^pullwire; hit/);
    }
    const none = await ask('/nothing', 'only-if-cached');
    expect([none.status, await none.json()]).toMatchObject([504, { code: 'not-stored' }]);
  });

  test('else the pull is queued: that is no error that a stored answer stands in for', async () => {
    const places: string[] = [];
    for (const said of ['stale-if-error=3600', 'max-stale=5']) {
      const response = await ask('/m', said);
      expect([response.status, await response.json()]).toMatchObject([202, { state: 'queued' }]);
      expect(response.headers.get('preference-applied')).toBe('respond-async');
      places.push(response.headers.get('location') ?? '');
    }
    agent = await stage.link();
    for (const _ of places) reply(await nextPull(), 200, 'now');
    for (const place of places) {
      await expect.poll(() => stage.get(`${place}/result`).then(answerOf)).toEqual([200, 'now']);
    }
  });

  test('an error that comes while the caller waits is one', async () => {
    const answer = ask('/m', 'stale-if-error=3600', 'respond-async, wait=20');
    reply(await nextPull(), 503, 'sorry');
    const response = await answer;
    expect(await answerOf(response)).toEqual([200, 'last']);
    expect(response.headers.get('cache-status')).toMatch(/fwd=stale; fwd-status=503/);
  });
});
