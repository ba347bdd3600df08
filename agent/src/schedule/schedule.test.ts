import { PullFault } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PullAudit } from '../pull/agent-pull.ts';
import { bytes, FakeSource, turn } from '../pull/fake-link.ts';
import { PullDesk } from '../pull/pull-desk.ts';
import { FakeStore } from '../reply/fake-store.ts';
import type { SpoolReading } from '../spool/spool-reading.ts';
import { DueTime } from './due-time.ts';
import { Schedule } from './schedule.ts';
import type { ScheduleConfig } from './schedule-config.ts';

/** The second at which the schedule of a test begins. */
const start = Date.parse('2026-03-01T12:00:00.500Z');
const second = (n: number): number => start - 500 + n * 1_000;

let clock: ManualClock;
let source: FakeSource;
let audit: PullAudit[];
let taken: SpoolReading[];
let schedule: Schedule;
let ids = 0;

/** Only node-cron's clock: what it calls runs at once. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: start });
  clock = new ManualClock();
  source = new FakeSource();
  audit = [];
  taken = [];
});

afterEach(() => {
  schedule.stop();
  vi.useRealTimers();
});

function begin(over: Partial<ScheduleConfig> = {}, random = 0): Schedule {
  const config: ScheduleConfig = {
    ...{ source: 'metrics', path: '/m', cron: '* * * * * *', jitterMs: 0, timeoutMs: 5_000 },
    ...{ overlap: 'skip', maxBytes: 10, query: 'a=1' },
    ...over,
  };
  const refusing = new PullFault('rate-limited', 'agent-accept', { detail: 'too many' });
  const policy = {
    requestBytes: 0,
    admit: ({ caller, method }: { caller: string; method: string }) => {
      if (config.path === '/refused') throw refusing;
      expect([caller, method]).toEqual(['schedule:every-second', 'GET']);
      return { segments: ['m'], release: () => {} };
    },
  };
  const desk = new PullDesk({
    sources: new Map([['metrics', { source, policy }]]),
    maxPulls: 4,
    clock,
    parts: new FakeStore(),
    audit: (line) => audit.push(line),
  });
  schedule = new Schedule('every-second', config, new DueTime(undefined), {
    pulls: desk,
    clock,
    random: () => random,
    logger: pino({ level: 'silent' }),
    newPullId: () => Buffer.alloc(16, ++ids).toString('base64url'),
    aheadMs: () => 250,
    append: async (reading) => {
      taken.push(reading);
      return true;
    },
  });
  schedule.start();
  return schedule;
}

/** The source answers what it was asked last. */
async function answer(text: string): Promise<void> {
  const { reply } = source.last;
  reply.head(200, 'OK', ['Content-Type', 'text/plain']);
  reply.body(bytes(text));
  reply.end();
  await turn();
  await turn();
}

const tick = (ms = 1_000): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('a schedule', () => {
  it('asks through policy and audit, and takes the answer as a reading', async () => {
    begin();
    await tick(500);
    expect(source.last.request).toMatchObject({ path: '/m', query: 'a=1', method: 'GET' });
    await answer('up 1');
    expect(taken).toEqual([
      {
        entry: {
          ...{ schedule: 'every-second', at: second(1) + 250, source: 'metrics', path: '/m' },
          ...{ query: 'a=1', ms: 0, status: 200, headers: ['Content-Type', 'text/plain'] },
        },
        body: Buffer.from('up 1'),
        step: 0,
      },
    ]);
    expect(audit).toMatchObject([{ caller: 'schedule:every-second', outcome: 'done', bytes: 4 }]);
    expect(schedule.snapshot()).toMatchObject({
      ...{ runs: 1, missed: 0, skipped: 0, running: false, nextAt: second(2) },
      last: { at: second(1) + 250, outcome: 'done', status: 200, ms: 0 },
    });
    expect(clock.pending).toBe(0);
  });

  it('that is refused makes a reading of the fault', async () => {
    begin({ path: '/refused' });
    await tick(500);
    expect(taken).toMatchObject([
      { entry: { fault: { code: 'rate-limited', detail: 'too many' } }, body: new Uint8Array() },
    ]);
    expect(taken[0]?.entry.status).toBeUndefined();
    expect(schedule.snapshot().last?.outcome).toBe('rate-limited');
  });

  it('takes nothing of what is larger than maxBytes, and stops the source', async () => {
    begin();
    await tick(500);
    await answer('0123456789A');
    expect(taken).toMatchObject([{ entry: { fault: { code: 'reply-too-large' } } }]);
    expect(taken[0]?.body).toHaveLength(0);
    expect(audit).toHaveLength(1);
  });

  it('gives up after timeoutMs, also in the middle of a body', async () => {
    begin();
    await tick(500);
    source.last.reply.head(200, 'OK', []);
    source.last.reply.body(bytes('begun'));
    await turn();
    clock.advance(5_000);
    await turn();
    expect(taken).toMatchObject([{ entry: { fault: { code: 'deadline-exceeded' }, ms: 5_000 } }]);
    expect(source.last.run.cancelled).toBeGreaterThan(0);
    expect(audit).toMatchObject([{ outcome: 'deadline' }]);
  });

  it('names the source as the one that gave no head in time', async () => {
    begin();
    await tick(500);
    clock.advance(4_999);
    await turn();
    expect(taken).toMatchObject([{ entry: { fault: { code: 'upstream-timeout' } } }]);
  });

  it('makes a fault of a head that no frame takes', async () => {
    begin();
    await tick(500);
    source.last.reply.head(200, 'OK', ['X', 'y'.repeat(20_000)]);
    source.last.reply.end();
    await turn();
    await turn();
    expect(taken).toMatchObject([{ entry: { fault: { code: 'reply-head-too-large' } } }]);
  });

  it('skips what comes due while it is under way', async () => {
    begin();
    await tick(500);
    await tick();
    await tick();
    expect(source.opened).toHaveLength(1);
    await answer('a');
    await tick();
    expect(source.opened).toHaveLength(2);
    expect(schedule.snapshot()).toMatchObject({ runs: 1, skipped: 2, running: true });
  });

  it('with overlap queue runs one late, by the time at which it was due', async () => {
    begin({ overlap: 'queue' });
    await tick(500);
    await tick();
    await tick();
    await answer('a');
    expect(source.opened).toHaveLength(2);
    await answer('b');
    expect(taken.map(({ entry }) => entry.at)).toEqual([second(1) + 250, second(2) + 250]);
    expect(schedule.snapshot()).toMatchObject({ runs: 2, skipped: 1 });
  });

  it('waits within its jitter, and keeps the due time', async () => {
    begin({ jitterMs: 800 }, 0.5);
    await tick(500);
    expect(source.opened).toHaveLength(0);
    clock.advance(400);
    expect(source.opened).toHaveLength(1);
    await answer('a');
    expect(taken[0]?.entry.at).toBe(second(1) + 250);
  });

  it('that is stopped begins nothing, and takes what is under way', async () => {
    begin({ overlap: 'queue' });
    await tick(500);
    await tick();
    schedule.stop();
    await answer('a');
    await tick();
    expect(source.opened).toHaveLength(1);
    expect(taken).toHaveLength(1);
  });
});
