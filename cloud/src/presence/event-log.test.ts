import { expect, test } from 'vitest';
import { EventLog } from './event-log.ts';
import type { PresenceEvent } from './presence-event.ts';

const event = (device: string): PresenceEvent => ({
  ...{ type: 'connected', presence: 'connected', device, labels: {}, instance: 'main' },
  ...{ since: 0, at: 0 },
});

function logOf(events: number, mostEvents = 10): EventLog {
  const log = new EventLog('abc', mostEvents);
  for (let n = 1; n <= events; n += 1) log.append(event(`d${n}`));
  return log;
}

test('whoever has read an event goes on after it', () => {
  const log = logOf(3);
  expect(log.after('abc-2')).toBe(3);
  expect(log.at(3)?.device).toBe('d3');
  expect([log.after('abc-3'), log.at(4)]).toEqual([4, undefined]);
  expect(log.after('abc-0')).toBe(1);
});

test('what was dropped cannot be gone on from', () => {
  const log = logOf(25);
  expect(log.at(log.next - 10)).toBeDefined();
  expect(log.after('abc-1')).toBe('too-old');
  expect(log.hasDropped(1)).toBe(true);
});

test.each(['xyz-1', 'abc', 'abc-', 'abc-4', 'abc-1-1', 'abc--1', 'abc-1e0', '', 'abc-0x1'])(
  'an id of another run, or of none (%j), is not taken for one of this',
  (id) => {
    expect(logOf(3).after(id)).toBe('other-run');
  },
);

test('it holds no more than it may, however many come, and numbers go on', () => {
  const log = logOf(100_000, 100);
  let kept = 0;
  for (let n = 1; n < log.next; n += 1) if (log.at(n) !== undefined) kept += 1;
  expect(kept).toBeGreaterThanOrEqual(100);
  expect(kept).toBeLessThan(110);
  expect(log.at(100_000)?.device).toBe('d100000');
});
