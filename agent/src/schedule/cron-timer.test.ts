import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CronTimer } from './cron-timer.ts';

/** node-cron itself, over a clock that the test moves and sets: it asks `Date` and `setTimeout`. */
const start = Date.parse('2026-03-01T11:59:58.200Z');
const logger = pino({ level: 'silent' });

let due: string[];
let missed: number;
let timer: CronTimer | undefined;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'setImmediate'], now: start });
  due = [];
  missed = 0;
});

afterEach(() => {
  timer?.stop();
  vi.useRealTimers();
});

function run(cron: string, timeZone?: string): CronTimer {
  timer = new CronTimer({
    cron,
    timeZone,
    logger,
    due: (dueMs) => due.push(new Date(dueMs).toISOString().slice(0, 19)),
    missed: () => {
      missed += 1;
    },
  });
  timer.start();
  return timer;
}

describe('the times of a cron expression', () => {
  it('come when they are due, and are whole seconds', async () => {
    const running = run('* * * * * *');
    await vi.advanceTimersByTimeAsync(2_900);
    expect(due).toEqual(['2026-03-01T11:59:59', '2026-03-01T12:00:00', '2026-03-01T12:00:01']);
    expect(running.nextMs).toBe(Date.parse('2026-03-01T12:00:02Z'));
    expect(missed).toBe(0);
  });

  it('are those of the time zone, also where its clocks change', async () => {
    vi.setSystemTime(Date.parse('2026-03-28T00:00:00Z'));
    run('0 12 * * *', 'Europe/Berlin');
    await vi.advanceTimersByTimeAsync(48 * 3_600_000);
    expect(due).toEqual(['2026-03-28T11:00:00', '2026-03-29T10:00:00']);
  });

  it('that are over when the process wakes up are missed, and not made up for', async () => {
    run('* * * * * *');
    await vi.advanceTimersByTimeAsync(1_000);
    vi.setSystemTime(Date.now() + 20_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(missed).toBeGreaterThanOrEqual(19);
    expect(due.length).toBeLessThanOrEqual(3);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(due.at(-1)).toBe('2026-03-01T12:00:21');
  });

  it('are passed over in one go where the clock jumps by years', async () => {
    run('* * * * * *');
    await vi.advanceTimersByTimeAsync(1_000);
    vi.setSystemTime(Date.parse('2056-03-01T12:00:00.100Z'));
    const began = performance.now();
    await vi.advanceTimersByTimeAsync(3_000);
    // One by one they would take days: 200 µs each.
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(missed).toBe(1);
    expect(due.slice(1)).toContain('2056-03-01T12:00:02');
  });

  it('come by the new clock after a restart, where it was set back', async () => {
    const running = run('0 * * * * *');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(due).toEqual(['2026-03-01T12:00:00']);
    vi.setSystemTime(Date.parse('2026-03-01T10:00:30.000Z'));
    running.restart();
    await vi.advanceTimersByTimeAsync(31_000);
    expect(due[1]).toBe('2026-03-01T10:01:00');
    expect(missed).toBe(0);
  });

  it('count one as missed where a restart finds that the clock jumped over it', async () => {
    const running = run('0 3 * * *', 'UTC');
    vi.setSystemTime(Date.parse('2026-03-05T02:59:59.000Z'));
    running.restart();
    expect(missed).toBe(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(due).toEqual(['2026-03-05T03:00:00']);
  });

  it('end with stop', async () => {
    const running = run('* * * * * *');
    running.stop();
    await vi.advanceTimersByTimeAsync(5_000);
    expect([due, missed, running.nextMs]).toEqual([[], 0, undefined]);
  });
});
