import { describe, expect, test } from 'vitest';
import { cursorText, latestRequest, nextQuery, readingsRequest } from './readings-request.ts';

const refused = expect.objectContaining({ code: 'bad-request' });
const noon = Date.parse('2026-11-28T12:00:00Z');

describe('what is asked of readings', () => {
  test('is all of them, unless it says less', () => {
    expect(readingsRequest(undefined)).toEqual({
      source: undefined,
      path: undefined,
      since: 0,
      until: Date.parse('9999-12-31T23:59:59.999Z') + 1,
      limit: 100,
      after: undefined,
    });
  });

  test.each([
    ['2026-11-28T12:00:00Z', noon],
    ['2026-11-28t12:00:00.25z', noon + 250],
    ['2026-11-28 12:00:00Z', noon],
    ['2026-11-28T13:30:00%2B01:30', noon],
    ['2026-11-28T13:30:00+01:30', noon],
    ['2026-11-28T07:00:00-05:00', noon],
    ['1969-12-31T00:00:00Z', 0],
    ['1764331200000', 1_764_331_200_000],
    ['999999999999999', Date.parse('9999-12-31T23:59:59.999Z') + 1],
  ])('since=%s', (text, at) => {
    expect(readingsRequest(`since=${text}`).since).toBe(at);
    expect(readingsRequest(`until=${text}`).until).toBe(at);
  });

  test.each([
    'since=',
    'since=yesterday',
    'until=2026-11-28',
    'until=2026-11-28T12:00:00',
    'since=2026-13-28T12:00:00Z',
    'since=-1',
    'since=1e3',
    'limit=0',
    'limit=1001',
    'limit=1.5',
    'limit=x',
    'cursor=',
    'cursor=x',
    `cursor=${Buffer.from('1#A B').toString('base64url')}`,
    'from=2026-11-28T12:00:00Z',
  ])('is refused: %s', (query) => {
    expect(() => readingsRequest(query)).toThrow(refused);
  });

  test('goes on where a page ended', () => {
    const next = { at: 5, schedule: 'every-minute' };
    const query = nextQuery('source=a&path=%2Fx%3Fy&limit=3', next);
    expect(readingsRequest(query)).toMatchObject({
      source: 'a',
      path: '/x?y',
      limit: 3,
      after: next,
    });
    expect(nextQuery(query, { ...next, at: 6 })).toContain(cursorText({ ...next, at: 6 }));
    expect(nextQuery(undefined, next)).toBe(`cursor=${cursorText(next)}`);
  });
});

describe('which series the latest is wanted of', () => {
  test.each([
    ['source=a', { source: 'a', path: '/' }],
    ['source=a&path=%2Fb%252Fc&query=d%3De%26f', { source: 'a', path: '/b%2Fc', query: 'd=e&f' }],
    ['source=a&query=', { source: 'a', path: '/', query: '' }],
  ])('%s', (query, series) => {
    expect(latestRequest(query)).toEqual(series);
  });

  test.each([undefined, '', 'path=/', 'source=a&limit=1'])('is refused: %s', (query) => {
    expect(() => latestRequest(query)).toThrow(refused);
  });
});
