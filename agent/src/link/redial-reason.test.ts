import { describe, expect, it } from 'vitest';
import type { LinkEnd } from './redial-policy.ts';
import { redialReason } from './redial-reason.ts';

const ends: readonly (readonly [LinkEnd, string])[] = [
  [{ cause: 'refused', status: 401 }, 'refused-401'],
  [{ cause: 'refused', status: 418 }, 'refused-other'],
  [{ cause: 'proxy-refused', status: 407 }, 'proxy-refused'],
  [{ cause: 'unreachable', reason: 'ECONNREFUSED' }, 'unreachable'],
  [{ cause: 'unreachable', reason: 'too old', outsideDates: true }, 'certificate-dates'],
  [{ cause: 'bye', code: 'shutdown' }, 'bye-shutdown'],
  [{ cause: 'bye', code: 'constructor' }, 'bye-other'],
  [{ cause: 'closed', closeCode: 4999 }, 'lost'],
];

describe('the reason of a redial', () => {
  it.each(ends)('%j is %s, whatever else it says', (end, reason) => {
    expect(redialReason(end)).toBe(reason);
  });
});
