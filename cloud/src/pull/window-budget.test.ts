import { expect, test } from 'vitest';
import { WindowBudget } from './window-budget.ts';

const mebibyte = 1024 * 1024;

test('few pulls get wide windows, many get narrow ones, each gets one', () => {
  const budget = new WindowBudget(16 * mebibyte);
  const windows = Array.from({ length: 1_000 }, () => budget.take());
  expect(windows[0]).toBe(512 * 1024);
  expect(windows.at(-1)).toBe(64 * 1024);
  for (const bytes of windows) budget.give(bytes);
  expect(budget.takenBytes).toBe(0);
  expect(budget.take()).toBe(512 * 1024);
});

test('what is taken stays near the budget until only the narrowest windows are left', () => {
  const budget = new WindowBudget(64 * mebibyte);
  for (let i = 0; i < 200; i += 1) budget.take();
  expect(budget.takenBytes).toBeLessThan(70 * mebibyte);
});
