import { expect, test } from 'vitest';
import { cursorText, markOf, mostMarks, readCursor } from './event-cursor.ts';

const now = 1_800_000_000_000;

test('a cursor is read as it was written', () => {
  const told = new Set(['plant-7', 'plant-8'].map((id) => markOf(id, 'connected', 5)));
  const cursor = { floor: now - 120_000, told };
  expect(readCursor(cursorText(cursor), now)).toEqual(cursor);
  const none = { floor: now, told: new Set<string>() };
  expect(readCursor(cursorText(none), now)).toEqual(none);
});

test('the most that one can name fits into a header', () => {
  const told = new Set(Array.from({ length: mostMarks }, (_, at) => markOf(at)));
  expect(cursorText({ floor: now, told }).length).toBeLessThan(2_048);
  expect(readCursor(cursorText({ floor: now, told }), now)).toMatchObject({ floor: now });
});

test.each([
  '',
  'abc-5',
  'l..',
  'l.1.abc',
  'l.zzzzzzzzzz.',
  'l.1.%%%%',
  `l.1.${'abcd'.repeat(385)}`,
])('what was not written here (%j) is not gone on from', (id) => {
  expect(readCursor(id, now)).toBe('other-run');
});

test('nor is what is older than a day', () => {
  expect(readCursor(cursorText({ floor: now - 86_400_001, told: new Set() }), now)).toBe('too-old');
});
