import { ManualClock } from '@pullwire/shared/manual-clock';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { ReadingHold } from './reading-hold.ts';

const held = { code: 'quota-full', detail: 'a day has 16 MiB', retryAfterMs: 900_000 };
let clock: ManualClock;
let lines: string[];
let hold: ReadingHold;
let overs: number;

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  overs = 0;
  const logger = pino({}, { write: (line: string) => lines.push(line) });
  hold = new ReadingHold({ clock, logger });
});

const begin = (changes: Partial<typeof held> = {}): void =>
  hold.begin({ ...held, ...changes }, () => {
    overs += 1;
  });

describe('a hold', () => {
  it('lasts as long as the relay says, and says why', () => {
    begin();
    const { code, detail } = held;
    expect(hold.now).toEqual({ until: clock.wall() + 900_000, code, detail });
    clock.advance(899_999);
    expect([hold.now !== undefined, overs]).toEqual([true, 0]);
    clock.advance(1);
    expect([hold.now, overs, clock.pending]).toEqual([undefined, 1, 0]);
  });

  it('gives way to a later one, and is over once', () => {
    begin();
    clock.advance(1_000);
    begin({ retryAfterMs: 5_000 });
    clock.advance(5_000);
    expect([hold.now, overs]).toEqual([undefined, 1]);
    clock.advance(900_000);
    expect(overs).toBe(1);
  });

  it('that is ended is not over', () => {
    begin();
    hold.end();
    clock.advance(900_000);
    expect([hold.now, overs]).toEqual([undefined, 0]);
  });

  it('is said by a line an hour, however often it comes', () => {
    for (let quarter = 0; quarter < 8; quarter += 1) {
      begin();
      clock.advance(900_000);
    }
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('"code":"quota-full","detail":"a day has 16 MiB"');
  });
});
