import { describe, expect, it } from 'vitest';
import { caseNames } from './case.ts';
import { parseOptions, UsageError, usage } from './options.ts';
import { systemNames } from './system/system.ts';

describe('options', () => {
  it('measure everything where none is given', () => {
    expect(parseOptions([])).toEqual({
      rounds: 5,
      seconds: 2,
      cases: caseNames,
      systems: systemNames,
      links: 1_000,
      nginxWorkers: 1,
      proxyLogs: true,
      build: true,
      strict: false,
      profile: undefined,
    });
  });

  it('--quick gives way to what is said in full', () => {
    expect(parseOptions(['--quick'])).toMatchObject({ rounds: 1, seconds: 1, links: 200 });
    expect(parseOptions(['--quick', '--seconds', '3'])).toMatchObject({ rounds: 1, seconds: 3 });
  });

  it('--only keeps the order of the table, and leaves idle links out unless they are named', () => {
    const options = parseOptions(['--only', '100mb', '--only', '200b-1']);
    expect(options).toMatchObject({ cases: ['200b-1', '100mb'], links: 0 });
    expect(parseOptions(['--only', 'idle-links'])).toMatchObject({ cases: [], links: 1_000 });
  });

  it('a profile loads for longer, with the case that --only names', () => {
    expect(parseOptions(['--profile'])).toMatchObject({ profile: '200b-32', seconds: 10 });
    expect(parseOptions(['--profile', '--only', '1mb-8'])).toMatchObject({ profile: '1mb-8' });
  });

  it.each([
    [['--rounds', '0'], '--rounds takes a whole number from 1 up, not 0'],
    [['--seconds', '1.5'], '--seconds takes a whole number from 1 up, not 1.5'],
    [['--only', '1tb'], '--only takes one of 200b-1,'],
    [['--system', 'frp'], '--system takes one of direct,'],
    [['--proxy-log', 'maybe'], '--proxy-log takes one of on, off, not maybe'],
    [['--profile', '--only', '1gb'], '--only with --profile takes one of 200b-1,'],
    [['--fast'], "Unknown option '--fast'"],
    [['extra'], "Unexpected argument 'extra'"],
  ])('%j is refused with what is expected', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });

  it('--help names every option', () => {
    expect(parseOptions(['--help', '--rounds', 'x'])).toBe('help');
    for (const flag of [
      'rounds',
      'seconds',
      'quick',
      'only',
      'system',
      'links',
      'strict',
      'profile',
    ]) {
      expect(usage).toContain(`--${flag}`);
    }
  });
});
