import { describe, expect, it } from 'vitest';
import { statusText } from './status-text.ts';

const now = Date.parse('2026-11-28T03:00:00Z');

const snapshot = {
  agent: {
    version: '0.1.0',
    device: 'plant-7',
    instance: 'main',
    relay: 'wss://relay.example/link',
    pid: 17,
    startedAt: '2026-11-27T00:00:00.000Z',
    upMs: 97_200_000,
  },
  link: {
    state: 'open',
    linked: true,
    linkedForMs: 3_723_000,
    subprotocol: 'pullwire.v1+bin',
    relay: 'pullwire-relay/0.1.0',
    lastError: { text: 'bye shutdown', at: '2026-11-28T01:57:57.000Z' },
    counters: { bytesIn: 1_234, bytesOut: 56_789_000 },
    keepAlive: { intervalMs: 240_000, bytesADay: 74_880, spentBytes: 20_800, dailyBytes: 100_000 },
  },
  today: { since: '2026-11-28T00:00:00.000Z', bytesIn: 234, bytesOut: 6_789_000 },
  key: { publicKey: 'ed25519:abc', changing: false },
  pulls: { inFlight: 2, pulls: 41, repeated: 0, stray: 1 },
  sources: ['metrics', 'logs'],
  sourceUse: [
    {
      source: 'metrics',
      pulls: 41,
      last: { at: '2026-11-28T02:59:50.000Z', outcome: 'done', status: 200, ms: 12.5 },
    },
    { source: 'logs', pulls: 0 },
  ],
};

describe('the status for people', () => {
  it('says what there is, a line each', () => {
    expect(statusText(snapshot, now)).toBe(
      `
agent        pullwire-agent 0.1.0, process 17, up 1 d 3 h
device       plant-7, instance main
relay        wss://relay.example/link
link         open since 2026-11-28T01:57:57Z (1 h 2 min ago), pullwire.v1+bin with pullwire-relay/0.1.0
last error   2026-11-28T01:57:57Z (1 h 2 min ago): bye shutdown
bytes        234 bytes in and 6789 kB out today (UTC), 1234 bytes in and 57 MB out since the start (without TLS, TCP and IP)
keep-alives  one after 4 min of silence, 21 kB since the start, 75 kB a day, of 100 kB that are allowed
key          ed25519:abc, no rotation under way
pulls        2 under way, 41 since the start, 1 stray
source       metrics: 41 pulls, last 2026-11-28T02:59:50Z (10 s ago): done (200) in 12.5 ms
source       logs: not asked since the start
`.slice(1),
    );
  });

  it('says why there is no link', () => {
    const link = {
      state: 'closed',
      linked: false,
      linkedForMs: 5_000,
      trouble: 'connect ECONNREFUSED',
    };
    const text = statusText({ ...snapshot, link, sourceUse: [] }, now);
    expect(text).toContain(
      'NOT LINKED since 2026-11-28T02:59:55Z (5 s ago) (closed): connect ECONNREFUSED\n',
    );
    expect(text).toContain('last error   none\n');
    expect(text).toContain('nothing can be asked of this device');
  });

  it('says what schedules do and what waits for the relay', () => {
    const last = { at: now - 60_000, outcome: 'done', status: 200, ms: 12 };
    const readings = {
      spool: {
        ...{ depth: 2, bytes: 900, oldestAt: now - 120_000, unwritten: 0, taken: 9 },
        dropped: { full: 3, age: 0, unwritten: 1 },
        trouble: 'the disk is full',
      },
      sending: { sent: 4, refused: 1, again: 0 },
      schedules: {
        load: {
          cron: '* * * * *',
          timeZone: 'UTC',
          nextAt: now + 30_000,
          running: false,
          last,
          missed: 1,
        },
      },
    };
    const text = statusText({ ...snapshot, readings }, now);
    expect(text).toContain(
      'schedule     load (* * * * * UTC): next 2026-11-28T03:00:30Z, last 2026-11-28T02:59:00Z (1 min ago): done (200) in 12 ms, 1 missed\n',
    );
    expect(text).toContain(
      'spool        2 readings wait (900 bytes), the oldest of 2026-11-28T02:58:00Z (2 min ago),' +
        ' 4 LOST since the start (no room 3, too old 0, not written 1), TROUBLE: the disk is full\n',
    );
    expect(text).toContain(
      'readings     4 stored at the relay since the start, 1 refused by the relay\n',
    );
    const hold = { until: now + 900_000, code: 'quota-full', detail: 'no more today' };
    const sending = { ...readings.sending, hold };
    const heldText = statusText({ ...snapshot, readings: { ...readings, sending } }, now);
    expect(heldText).toContain(
      'readings     4 stored at the relay since the start, HELD BACK by the relay until 2026-11-28T03:15:00Z: no more today, 1 refused',
    );
  });

  it('shows sections that it has no words for, of an agent that is newer', () => {
    const text = statusText(
      {
        ...snapshot,
        spool: { depth: 12, oldest: undefined },
        schedules: [
          { name: 'hourly', next: '04:00' },
          { name: 'daily', next: '00:00' },
        ],
      },
      now,
    );
    expect(text).toContain('spool        depth 12\n');
    expect(text).toContain('schedules    name hourly, next 04:00\nschedules    name daily,');
  });

  it('does not fall over what an agent of another version leaves out', () => {
    expect(statusText({}, now)).toContain('NOT LINKED since an unknown time');
  });
});
