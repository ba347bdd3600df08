import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../config/config-error.ts';
import { loadConfig } from '../config/load-config.ts';
import { parseSchedules } from './schedule-config.ts';

const plain = { source: 'metrics', path: '/metrics', cron: '* * * * *' };

/** What stands in the way, `key: expected` a line each. */
function problemsOf(schedules: unknown): string[] {
  const parsed = parseSchedules(schedules);
  return 'problems' in parsed
    ? parsed.problems.map(({ key, expected }) => `${key}: ${expected}`)
    : [];
}

describe('schedules', () => {
  it('have defaults', () => {
    expect(parseSchedules({ 'metrics-1m': plain })).toEqual({
      schedules: new Map([
        [
          'metrics-1m',
          { ...plain, jitterMs: 0, timeoutMs: 30_000, overlap: 'skip', maxBytes: 1_048_576 },
        ],
      ]),
    });
  });

  it('take times and sizes with units, a zone, and six fields', () => {
    const more = { cron: '*/5 * * * * *', timeZone: 'Europe/Berlin', jitterMs: '2s' };
    const bounds = { timeoutMs: '1m', overlap: 'queue', maxBytes: '8MiB', query: 'a=1&b' };
    expect(parseSchedules({ a: { ...plain, ...more, ...bounds } })).toMatchObject({
      schedules: new Map([
        ['a', { ...plain, ...more, jitterMs: 2_000, timeoutMs: 60_000, maxBytes: 8_388_608 }],
      ]),
    });
  });

  it.each([
    ['a list', [], 'schedules: a map of names of schedules'],
    ['a name in upper case', { A: plain }, 'schedules.A: a name of at most 63 characters'],
    ['no source', { a: { ...plain, source: undefined } }, 'schedules.a.source: the name'],
    ['a path that walks', { a: { ...plain, path: '/../etc' } }, 'schedules.a.path: '],
    ['a relative path', { a: { ...plain, path: 'metrics' } }, 'schedules.a.path: '],
    ['a query with a #', { a: { ...plain, query: '#x' } }, 'schedules.a.query: a query'],
    [
      'a wrong minute',
      { a: { ...plain, cron: '61 * * * *' } },
      'schedules.a.cron: a cron expression of 5 or 6 fields, seconds first where there are 6 (minute: 61 is',
    ],
    ['the 30th of February', { a: { ...plain, cron: '0 0 30 2 *' } }, 'schedules.a.cron: '],
    ['no cron', { a: { ...plain, cron: '' } }, 'schedules.a.cron: a cron expression'],
    [
      'a zone that is none',
      { a: { ...plain, timeZone: 'Mars/X' } },
      'schedules.a.timeZone: a time',
    ],
    [
      'another overlap',
      { a: { ...plain, overlap: 'both' } },
      'schedules.a.overlap: skip, or queue',
    ],
    ['too many bytes', { a: { ...plain, maxBytes: '9MiB' } }, 'schedules.a.maxBytes: bytes from 1'],
    ['an unknown key', { a: { ...plain, every: 1 } }, 'schedules.a.every: no such key; known are'],
  ])('refuse %s', (_name, schedules, expected) => {
    expect(problemsOf(schedules).join('\n')).toContain(expected);
  });

  it('report every mistake at once', () => {
    const wrong = { a: { ...plain, cron: 'x', timeZone: 'x' }, b: { ...plain, path: 'x' } };
    expect(problemsOf(wrong)).toHaveLength(3);
  });
});

describe('schedules in the whole configuration', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pullwire-schedule-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function load(allow: unknown, schedule: object, more: object = {}): Promise<string> {
    const sources = { logs: { kind: 'file', root: folder, allow } };
    const config = { relay: 'wss://relay.example', device: 'd', sources, ...more };
    const file = join(folder, 'agent.json');
    await writeFile(file, JSON.stringify({ ...config, schedules: { a: schedule } }));
    try {
      const loaded = loadConfig({ file, env: {}, flags: {}, workingFolder: folder });
      return `loaded ${[...loaded.schedules.keys()].join()}`;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.message;
    }
  }

  const log = { source: 'logs', path: '/a.log', cron: '* * * * *' };

  it('need a source that is there', async () => {
    expect(await load([], { ...log, source: 'other' })).toBe(
      'schedules.a.source: expected the name of a source; found "other"',
    );
  });

  it('need a rule of the source that lets them ask', async () => {
    expect(await load([{ paths: ['/*.txt'] }], log)).toMatch(
      /^schedules\.a\.path: expected a path that sources\.logs\.allow lets schedule:a GET: .*\/\*\.txt.*found "\/a\.log"$/,
    );
    const others = [{ paths: ['/**'], callers: ['ops'] }];
    expect(await load(others, log)).toContain('lets schedule:a GET');
    expect(await load([{ paths: ['/**'], callers: ['schedule:*'] }], log)).toBe('loaded a');
  });

  it('bring no more than the spool holds', async () => {
    const large = { ...log, maxBytes: '4MiB' };
    const spool = { maxBytes: '1MiB' };
    expect(await load([{ paths: ['/**'] }], large, { spool })).toBe(
      'schedules.a.maxBytes: expected at most spool.maxBytes, which is 1048576; found 4194304',
    );
  });
});
