import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { noReadings } from '../reading/reading-sample.ts';
import { SweepSchedule, type SweepScheduleInit } from './sweep-schedule.ts';

const schedules: SweepSchedule[] = [];
afterEach(async () => {
  for (const schedule of schedules.splice(0)) await schedule.stop();
});

const none = { ...noReadings, retentionDays: 30 };

const recordOf = (device: string) => ({ device, publicKey: '', labels: {}, createdAt: 0 });

function fixture(
  sweep: (request: { closedBefore: number; limit: number }) => Promise<number>,
  minute = 7,
  readings: SweepScheduleInit['readings'] = none,
) {
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  const schedule = new SweepSchedule({
    registry: {
      sweep,
      deviceRecord: async () => undefined,
      deviceRecords: async (devices) => devices.map(recordOf),
    },
    readings,
    queue: {
      store: { sweepBodies: async () => 0 },
      bodyStore: { remove: async () => undefined },
    },
    log,
    now: () => 1_000_000_000,
    minute,
  });
  schedules.push(schedule);
  return { schedule, lines };
}

describe('the sweep', () => {
  it('removes what ended more than 7 days ago, bounded', async () => {
    const requests: object[] = [];
    const { schedule, lines } = fixture(async (request) => {
      requests.push(request);
      return 3;
    });
    await schedule.sweep();
    const now = 1_000_000_000;
    expect(requests).toEqual([{ closedBefore: now - 604_800_000, keptBefore: now, limit: 10_000 }]);
    expect(lines).toMatchObject([
      { msg: 'registry swept', removed: 3 },
      { msg: 'readings swept', removed: 0 },
      { msg: 'bodies of queued pulls swept', removed: 0 },
    ]);
  });

  it('that fails is logged, and the next one tries again', async () => {
    let fail = true;
    const { schedule, lines } = fixture(async () => {
      if (fail) throw new Error('down');
      return 0;
    });
    await schedule.sweep();
    fail = false;
    await schedule.sweep();
    expect(lines.map((line) => line['msg'])).toEqual([
      'the registry cannot be swept now',
      'readings swept',
      'bodies of queued pulls swept',
      'registry swept',
      'readings swept',
      'bodies of queued pulls swept',
    ]);
  });

  it('goes through the devices that have readings, by the retention', async () => {
    const asked: unknown[] = [];
    const oldReadings = async (device: string, before: number) => {
      asked.push([device, before]);
      return [];
    };
    const devices = async () => ({ items: ['plant-7', 'plant-8'] });
    const readingTable = { ...none.readingTable, devices, oldReadings };
    const { schedule } = fixture(async () => 0, 7, { ...none, readingTable, retentionDays: 1 });
    await schedule.sweep();
    const before = 1_000_000_000 - 86_400_000;
    expect(asked).toEqual([
      ['plant-7', before],
      ['plant-8', before],
    ]);
  });

  it('of readings that fails is logged', async () => {
    const devices = () => Promise.reject(new Error('down'));
    const readingTable = { ...none.readingTable, devices };
    const { schedule, lines } = fixture(async () => 0, 7, { ...none, readingTable });
    await schedule.sweep();
    expect(lines[1]).toMatchObject({ msg: 'the readings cannot be swept now' });
  });

  it('under way is waited for when the schedule stops', async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const { schedule } = fixture(() => promise);
    schedule.start();
    const swept = schedule.sweep();
    let stopped = false;
    const stop = schedule.stop().then(() => {
      stopped = true;
    });
    await Promise.resolve();
    expect(stopped).toBe(false);
    resolve(1);
    await Promise.all([swept, stop]);
  });

  it('has a minute of the hour', () => {
    expect(() => fixture(async () => 0, 60).schedule.start()).toThrow();
  });
});
