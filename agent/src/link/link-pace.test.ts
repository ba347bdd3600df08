import { ManualClock } from '@pullwire/shared/manual-clock';
import { logTo } from '@pullwire/shared/process-log';
import { describe, expect, test } from 'vitest';
import { IdlePath } from './idle-path.ts';
import { LinkPace, type PaceTerms } from './link-pace.ts';

const wire = { tls: 'TLSv1.3', ipv6: false };
/** With 8 bytes an exchange costs 208: a day at 25 s 718,848. */
const bytes = 8;
const box: PaceTerms = {
  heartbeat: { intervalMs: 25_000, timeoutMs: 10_000, maxIntervalMs: 240_000 },
  features: [],
};
const gateway: PaceTerms = {
  heartbeat: { intervalMs: 300_000, timeoutMs: 10_000, maxIntervalMs: 540_000 },
  features: ['keep-alive'],
};

function bench(dailyBytes: number | null, bounds = { minMs: 1_000, maxMs: 600_000 }) {
  const clock = new ManualClock();
  const lines: Record<string, unknown>[] = [];
  const logger = logTo({ write: (line) => lines.push(JSON.parse(line)) }, 'info');
  const path = new IdlePath(clock, { goodMs: 0 }, () => undefined);
  const pace = new LinkPace({ clock, bounds, path, dailyBytes, logger });
  /** So many beats on a path that holds everything; returns the interval then. */
  const beat = (times: number, terms: PaceTerms): number => {
    for (let at = 0; at < times; at += 1) {
      const { intervalMs } = pace.settings(terms);
      clock.advance(intervalMs);
      pace.held(intervalMs, bytes, wire, terms);
    }
    return pace.settings(terms).intervalMs;
  };
  const said = (level: string) => lines.filter((line) => line['level'] === level);
  return { clock, lines, pace, beat, said };
}

describe('how often a link proves its path', () => {
  test('a link that is not metered stays where welcome begins', () => {
    const { pace, beat, lines } = bench(null);
    expect(beat(20, box)).toBe(25_000);
    expect(lines).toEqual([]);
    expect(pace.snapshot()).toEqual({
      intervalMs: 25_000,
      exchangeBytes: 208,
      spentBytes: 20 * 208,
      bytesADay: 718_848,
      dailyBytes: null,
    });
  });

  test('a metered one becomes as rare as its budget asks, and no rarer', () => {
    const { beat, pace } = bench(150_000);
    expect(beat(20, box)).toBe(119_808);
    expect(pace.snapshot().bytesADay).toBe(150_000);
  });

  test('one behind a gateway becomes as rare as welcome allows, metered or not', () => {
    expect(bench(null).beat(20, gateway)).toBe(540_000);
    expect(bench(900_000).beat(20, gateway)).toBe(540_000);
  });

  test('a relay that allows nothing longer, or less than where it begins, is not gone beyond', () => {
    for (const most of [{}, { maxIntervalMs: 5_000 }]) {
      const heartbeat = { intervalMs: 25_000, timeoutMs: 10_000, ...most };
      expect(bench(1).beat(20, { heartbeat, features: [] })).toBe(25_000);
      expect(bench(null).beat(20, { heartbeat, features: ['keep-alive'] })).toBe(25_000);
    }
  });

  test('a relay that allows more than the agent’s own bounds is not followed', () => {
    expect(bench(1, { minMs: 1_000, maxMs: 60_000 }).beat(20, box)).toBe(60_000);
  });

  test('what it costs is said when it changes, and once a day', () => {
    const { beat, said } = bench(718_848);
    beat(2, box);
    expect(said('info')).toMatchObject([{ bytesADay: 718_848, intervalMs: 25_000 }]);
    beat(2 * 3_456, box);
    expect(said('info')).toHaveLength(3);
    expect(said('warn')).toEqual([]);
  });

  test('a budget that cannot be met is warned of once, with the setting that stands in its way', () => {
    const ofRelay = bench(1_000);
    ofRelay.beat(40, box);
    expect(ofRelay.said('warn')).toMatchObject([
      {
        dailyBytes: 1_000,
        why: "the relay's heartbeat.maxIntervalMs allows no interval of 17971200 ms",
      },
    ]);
    const ofAgent = bench(100_000, { minMs: 1_000, maxMs: 60_000 });
    ofAgent.beat(40, box);
    expect(ofAgent.said('warn')).toMatchObject([
      { why: 'heartbeat.maxMs allows no interval of 179712 ms' },
    ]);
  });

  test('a path that holds too little for the budget is warned of', () => {
    const { pace, beat, said } = bench(100_000);
    beat(2, box);
    pace.lost(pace.settings(box).intervalMs, 'unanswered');
    beat(3, box);
    expect(said('warn')).toMatchObject([
      { why: 'the path holds no silence of 179712 ms; allow more in metered.dailyBytes' },
    ]);
  });

  test.each([
    ['data moved shortly before', 3_000, 'unanswered'],
    ['the process did not run in between', 90_000, 'unanswered'],
    ['the link was young', 2_000, 'closed'],
  ] as const)('a loss says nothing about the path where %s', (_name, quietMs, end) => {
    const { pace, beat } = bench(100_000);
    const before = beat(3, box);
    for (let loss = 0; loss < 3; loss += 1) pace.lost(quietMs, end);
    expect(pace.settings(box).intervalMs).toBe(before);
  });

  test('a link that never opened teaches nothing', () => {
    const { pace } = bench(null);
    pace.lost(25_000, 'unanswered');
    expect(pace.settings(box).intervalMs).toBe(25_000);
  });
});
