import { byeCodes } from '@pullwire/shared';
import { describe, expect, it } from 'vitest';
import { type LinkEnd, type Redial, redial } from './redial-policy.ts';

const settings = { baseMs: 1_000, capMs: 60_000, stableMs: 30_000 };
const lost: LinkEnd = { cause: 'closed', closeCode: 1006 };

function decide(
  end: LinkEnd,
  over: { attempt?: number; livedMs?: number; random?: number; atOnce?: boolean } = {},
): Redial {
  return redial({ end, attempt: 0, livedMs: 0, random: 0.5, ...over }, settings);
}

function waitOf(end: LinkEnd, over: Parameters<typeof decide>[1] = {}): number {
  const decision = decide(end, over);
  if ('final' in decision) throw new Error(`final: ${decision.final}`);
  return decision.waitMs;
}

describe('redial', () => {
  const range = (end: LinkEnd, attempt: number) => [
    waitOf(end, { attempt, random: 0 }),
    waitOf(end, { attempt, random: 0.999_999 }),
  ];

  it.each([
    [0, 100, 1_000],
    [1, 100, 2_000],
    [2, 100, 4_000],
    [5, 100, 32_000],
    [6, 100, 60_000],
    [1_000_000, 100, 60_000],
  ])('attempt %i after a lost link waits from %i to %i ms', (attempt, from, to) => {
    expect(range(lost, attempt)).toEqual([from, to]);
  });

  it.each([
    [0, 30_000, 60_000],
    [1, 30_000, 120_000],
    [3, 30_000, 300_000],
    [50, 30_000, 300_000],
  ])(
    'attempt %i after a refusal that waits for people waits from %i to %i ms',
    (attempt, from, to) => {
      expect(range({ cause: 'refused', status: 401 }, attempt)).toEqual([from, to]);
    },
  );

  it.each<[string, LinkEnd, 'backoff' | 'rarely' | 'final']>([
    ['400', { cause: 'refused', status: 400 }, 'rarely'],
    ['401', { cause: 'refused', status: 401 }, 'rarely'],
    ['403 of the relay', { cause: 'refused', status: 403, byRelay: true }, 'final'],
    ['403 of something in between', { cause: 'refused', status: 403 }, 'rarely'],
    ['404', { cause: 'refused', status: 404 }, 'rarely'],
    ['426', { cause: 'refused', status: 426 }, 'rarely'],
    ['429', { cause: 'refused', status: 429 }, 'backoff'],
    ['503', { cause: 'refused', status: 503 }, 'backoff'],
    ['a redirect', { cause: 'refused', status: 302 }, 'backoff'],
    ['403 of the proxy', { cause: 'proxy-refused', status: 403 }, 'backoff'],
    ['407 of the proxy', { cause: 'proxy-refused', status: 407 }, 'rarely'],
    ['no connection', { cause: 'unreachable', reason: 'ECONNREFUSED' }, 'backoff'],
    [
      'a date outside a certificate’s',
      { cause: 'unreachable', reason: 'CERT_HAS_EXPIRED', outsideDates: true },
      'rarely',
    ],
    ['close 1008 whose bye was lost', { cause: 'closed', closeCode: 1008 }, 'backoff'],
    ['a bye nobody knows', { cause: 'bye', code: 'tired' }, 'backoff'],
    ['a bye named like a method of Object', { cause: 'bye', code: 'constructor' }, 'backoff'],
    ['close 1000', { cause: 'closed', closeCode: 1000 }, 'backoff'],
    ['close 1006', { cause: 'closed', closeCode: 1006 }, 'backoff'],
    ['close 4001 whose bye was lost', { cause: 'closed', closeCode: 4001 }, 'final'],
    ['close 4002 whose bye was lost', { cause: 'closed', closeCode: 4002 }, 'rarely'],
    ['close 4999', { cause: 'closed', closeCode: 4999 }, 'backoff'],
    ...Object.entries(byeCodes).map(
      ([code, rule]): [string, LinkEnd, 'backoff' | 'rarely' | 'final'] => [
        `bye ${code}`,
        { cause: 'bye', code },
        rule.redial,
      ],
    ),
  ])('%s means the rule of the protocol', (_name, end, rule) => {
    const decision = decide(end, { random: 0 });
    const found = 'final' in decision ? 'final' : decision.waitMs < 30_000 ? 'backoff' : 'rarely';
    expect(found).toBe(rule);
  });

  it('ends with exit code 77 and says why', () => {
    expect(decide({ cause: 'bye', code: 'revoked' })).toEqual({
      final: 'bye revoked',
      exitCode: 77,
    });
  });

  it('counts attempts until a link has lived for a while', () => {
    expect(decide(lost, { attempt: 4, livedMs: 29_999 })).toMatchObject({ attempt: 5 });
    expect(decide(lost, { attempt: 4, livedMs: 30_000 })).toMatchObject({ attempt: 1 });
    expect(waitOf(lost, { attempt: 4, livedMs: 30_000, random: 0.999_999 })).toBe(1_000);
  });

  it('comes at once where that may cure a refusal, and does not count it', () => {
    const unauthorized: LinkEnd = { cause: 'refused', status: 401 };
    const over = { atOnce: true, attempt: 3 };
    expect(decide(unauthorized, { ...over, random: 0 })).toEqual({ waitMs: 50, attempt: 3 });
    expect(waitOf(unauthorized, { ...over, random: 0.999_999 })).toBe(500);
    expect(waitOf({ ...unauthorized, retryAfterMs: 9_000 }, { ...over, random: 0 })).toBe(9_050);
    expect(decide({ cause: 'bye', code: 'revoked' }, over)).toMatchObject({ exitCode: 77 });
  });

  it('waits at least as long as Retry-After says, and spreads a fleet over the time after it', () => {
    const shedding: LinkEnd = { cause: 'refused', status: 503, retryAfterMs: 20_000 };
    expect(range(shedding, 3)).toEqual([20_100, 25_000]);
  });

  it('backs off no further from a relay that says when to come, unless it says nothing by it', () => {
    const told = (retryAfterMs: number): LinkEnd => ({
      cause: 'refused',
      status: 503,
      retryAfterMs,
    });
    expect(range(told(1_000), 6)).toEqual([1_100, 2_000]);
    expect(decide(told(1_000), { attempt: 6 })).toMatchObject({ attempt: 6 });
    expect(range(told(0), 6)).toEqual([100, 60_000]);
    expect(decide(told(0), { attempt: 6 })).toMatchObject({ attempt: 7 });
  });

  it('takes a Retry-After of days for a mistake', () => {
    expect(waitOf({ cause: 'refused', status: 503, retryAfterMs: 9e9 }, { random: 0 })).toBe(
      3_600_100,
    );
  });
});
