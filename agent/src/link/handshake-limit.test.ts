import { expect, it } from 'vitest';
import { handshakeLimitMs } from './handshake-limit.ts';

it.each([
  ['before the first link', undefined, 0, 15_000],
  ['after a link with a short heartbeat', 1_000, 0, 2_000],
  ['after one with a very short heartbeat', 100, 0, 2_000],
  ['after a link as they are by default', 25_000, 0, 15_000],
  ['after an attempt that failed', 1_500, 1, 6_000],
  ['after many', 1_000, 40, 15_000],
])('%s a handshake may say nothing for so long', (_when, intervalMs, failed, ms) => {
  expect(handshakeLimitMs(15_000, intervalMs, failed)).toBe(ms);
});
