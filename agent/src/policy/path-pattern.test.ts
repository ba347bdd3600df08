import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PathPattern } from './path-pattern.ts';

const table: [pattern: string, yes: string[][], no: string[][]][] = [
  ['/', [['']], [[], ['a'], ['', '']]],
  ['/metrics', [['metrics']], [['Metrics'], ['metrics', ''], ['metrics2'], ['a', 'metrics'], ['']]],
  ['/metrics/', [['metrics', '']], [['metrics'], ['metrics', 'x']]],
  [
    '/api/*',
    [
      ['api', 'a'],
      ['api', 'a/b'],
      ['api', 'x;v=1'],
    ],
    [['api'], ['api', ''], ['api', 'a', 'b'], ['b', 'a']],
  ],
  [
    '/api/*/x',
    [['api', 'a', 'x']],
    [
      ['api', 'x'],
      ['api', '', 'x'],
      ['api', 'a', 'b', 'x'],
    ],
  ],
  [
    '/logs/**',
    [['logs'], ['logs', ''], ['logs', 'a'], ['logs', 'a', 'b', '']],
    [['log'], ['logsx'], ['a', 'logs'], ['']],
  ],
  ['/**', [[''], ['a'], ['a', 'b', '']], []],
  ['/**/x', [['x'], ['a', 'x'], ['a', 'b', 'x']], [['x', 'a'], ['']]],
  [
    '/a/**/b/**/c',
    [
      ['a', 'b', 'c'],
      ['a', 'x', 'b', 'b', 'c'],
      ['a', 'b', 'c', 'b', 'c'],
    ],
    [
      ['a', 'c'],
      ['a', 'b', 'x'],
    ],
  ],
  [
    '/*.log',
    [['a.log'], ['.log'], ['a.log.log']],
    [['a.log '], ['a.LOG'], ['a/b.log'], ['secret;.log'], ['a.log;x']],
  ],
  [
    '/a*b*c',
    [['abc'], ['axbxc'], ['abbcc'], ['aXXbYYc']],
    [['ab'], ['ac'], ['abcx'], ['acb'], ['a/bc'], ['ab;c']],
  ],
  ['/ab*ba', [['abba'], ['abxba']], [['aba'], ['ab']]],
  ['/caf\u00e9;v', [['caf\u00e9;v']], [['caf\u00e9'], ['caf\u00e9;w']]],
];

describe.each(table)('%s', (text, yes, no) => {
  const pattern = new PathPattern(text);
  it.each(yes)('matches /%s', (...segments) => {
    expect(pattern.matches(segments)).toBe(true);
  });
  it.each(no)('does not match /%s', (...segments) => {
    expect(pattern.matches(segments)).toBe(false);
  });
});

it.each([
  ['metrics', 'begins with "/"'],
  ['', 'begins with "/"'],
  ['/a//b', 'not empty'],
  ['/../b', 'not empty'],
  ['/a**', '"**" as a whole segment'],
  ['/a?', 'without ?'],
  ['/[ab]', 'without ?'],
  ['/{a,b}', 'without ?'],
  ['/a%20b', 'without ?'],
  ['/a\nb', 'without ?'],
  ['/a;*', 'no ";"'],
  [`/${'a/'.repeat(30)}`, 'at most 30'],
])('%j is not a pattern', (text, expected) => {
  expect(() => new PathPattern(text)).toThrow(expected);
});

describe('leadsBelow', () => {
  it.each([
    ['/logs/**', ['logs'], true],
    ['/logs/**', ['logs', 'deep'], true],
    ['/logs/**', [], true],
    ['/logs/**', ['other'], false],
    ['/logs/*.log', ['logs'], true],
    ['/logs/*.log', ['logs', 'deep'], false],
    ['/*.log', ['x.log'], false],
    ['/a/*/c', ['a', 'b'], true],
    ['/a/*/c', ['a', 'b', 'c'], false],
  ])('of %s for the folder %j is %s', (text, segments, expected) => {
    expect(new PathPattern(text).leadsBelow(segments)).toBe(expected);
  });
});

it('agrees with a regular expression on every segment without "/" and ";"', () => {
  const letters = fc.constantFrom('a', 'b', '.');
  const globs = fc.array(fc.oneof(letters, fc.constant('*')), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(globs, fc.array(letters, { minLength: 1, maxLength: 10 }), (glob, text) => {
      const pattern = glob.join('').replaceAll(/\*+/g, '*');
      fc.pre(pattern !== '.' && pattern !== '..');
      const regex = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
      const segment = text.join('');
      expect(new PathPattern(`/${pattern}`).matches([segment])).toBe(regex.test(segment));
    }),
    { numRuns: 2_000 },
  );
});

it('takes no longer than linear where a backtracking matcher would never end', () => {
  const pattern = new PathPattern(`/${'a*'.repeat(200)}b`);
  expect(pattern.matches(['a'.repeat(8_000)])).toBe(false);
  const deep = new PathPattern(`/${'**/a/'.repeat(14)}b`);
  expect(deep.matches(new Array(8_000).fill('a'))).toBe(false);
});
