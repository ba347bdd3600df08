import { PullFault } from '@pullwire/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PathPattern } from './path-pattern.ts';
import { isReachableName, splitPath } from './path-rule.ts';

const accepted: [path: string, segments: string[]][] = [
  ['/', ['']],
  ['/metrics', ['metrics']],
  ['/a/b/c', ['a', 'b', 'c']],
  ['/a/', ['a', '']],
  ['/a%20b', ['a b']],
  ['/caf%C3%A9', ['café']],
  ['/group%2Fproject/x', ['group/project', 'x']],
  ['/100%25', ['100%']],
  ['/a%2541', ['a%41']],
  ['/...', ['...']],
  ['/.well-known/x', ['.well-known', 'x']],
  ['/..a/b..', ['..a', 'b..']],
  ['/a;v=1/b', ['a;v=1', 'b']],
  [`/~!$&'()*+,=:@-._"<>^\`{|}[]`.replaceAll(' ', ''), [`~!$&'()*+,=:@-._"<>^\`{|}[]`]],
];

const refused: [path: string, why: string][] = [
  ['', 'empty'],
  ['metrics', 'no slash at its beginning'],
  ['*', 'asterisk-form'],
  ['http://host/x', 'absolute-form'],
  ['//host/x', 'a host for WHATWG'],
  ['/a//b', 'an empty segment in the middle'],
  ['/a//', 'an empty segment before the last'],
  ['/.', 'dot'],
  ['/..', 'dot dot'],
  ['/a/../b', 'dot dot in the middle'],
  ['/a/./b', 'dot in the middle'],
  ['/%2e%2e/b', 'encoded dots'],
  ['/.%2E/b', 'half encoded dots'],
  ['/%2e', 'one encoded dot'],
  ['/%252e%252e/b', 'dots encoded twice'],
  ['/a%252Fb', 'a slash encoded twice'],
  ['/a%255cb', 'a backslash encoded twice'],
  ['/%25%32%65', 'a dot encoded twice, each character by itself'],
  ['/a\\b', 'a backslash'],
  ['/a%5cb', 'an encoded backslash'],
  ['/a%00b', 'NUL'],
  ['/a%0d%0ab', 'a line break'],
  ['/a%7Fb', 'DEL'],
  ['/a%C2%85b', 'a C1 control'],
  ['/a\tb', 'a raw tab'],
  ['/a b', 'a raw space'],
  ['/a?b', 'a query'],
  ['/a#b', 'a fragment'],
  ['/caf\u00e9', 'raw Latin-1'],
  ['/a\ud83d\ude00', 'beyond Latin-1'],
  ['/%', 'a lone percent sign'],
  ['/%2', 'half an escape'],
  ['/%zz', 'not hexadecimal'],
  ['/%u002e', 'the escape of IIS'],
  ['/%FF', 'not UTF-8'],
  ['/%C0%AE%C0%AE/b', 'overlong dots'],
  ['/%C0%AF', 'an overlong slash'],
  ['/%ED%A0%80', 'a surrogate'],
  ['/a%2F..%2Fb', 'dot dot between encoded slashes'],
  ['/..%2Fb', 'dot dot before an encoded slash'],
  ['/a%2F', 'nothing after an encoded slash'],
  ['/%2Fa', 'nothing before an encoded slash'],
  ['/a%2F%2Fb', 'nothing between encoded slashes'],
  ['/..;/b', 'dot dot with path parameters'],
  ['/..;x=1/b', 'dot dot with a path parameter'],
  ['/.;/b', 'dot with path parameters'],
  ['/;x/b', 'nothing but path parameters'],
  ['/..%3Bx/b', 'dot dot with an encoded path parameter'],
];

describe('the path rule', () => {
  it.each(accepted)('splits %s', (path, segments) => {
    expect(splitPath(path)).toEqual(segments);
  });

  it.each(refused)('refuses %j: %s', (path) => {
    expect(faultOf(path)).toMatchObject({ code: 'path-refused', stage: 'policy', status: 400 });
  });

  it('says which rule was broken, without the path itself', () => {
    expect(faultOf('/a/../b')?.message).toBe(
      'the path is refused: a segment is empty, "." or ".."',
    );
  });

  it('calls names reachable that a path can name', () => {
    const names = ['a.log', 'ü', 'a b', '100%', '..', '.', 'a/b', 'a\\b', 'a\nb', '%2e', ';x'];
    expect(names.filter(isReachableName)).toEqual(['a.log', 'ü', 'a b', '100%']);
  });
});

/** What servers make of a path, each as the one it is named for does it. */
const readings: Record<string, (path: string) => string> = {
  nginx: (path) => resolveDots(latin1Decode(path)),
  'WHATWG URL': (path) => {
    const url = new URL(path, 'http://upstream.invalid');
    return url.host === 'upstream.invalid' ? url.pathname : '/left-for-another-host';
  },
  'one that decodes twice': (path) =>
    resolveDots(latin1Decode(latin1Decode(path)).replaceAll('\\', '/')),
  'WHATWG URL after decoding once': (path) =>
    new URL(`http://upstream.invalid${latin1Decode(path)}`).pathname,
  'Tomcat, which drops path parameters': (path) =>
    resolveDots(latin1Decode(path.replaceAll(/;[^/]*/g, ''))),
  'one that drops path parameters after decoding': (path) =>
    resolveDots(latin1Decode(path).replaceAll(/;[^/]*/g, '')),
};

const nasty = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('/', '..', '.', 'pub', 'admin', 'x') },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      ...['%2e', '%2E', '%2f', '%2F', '%5c', '%5C', '\\', '%252e', '%252f', '%255c', '%25', '%'],
      ...[
        ';',
        '%3b',
        ';a=b',
        '%00',
        '%09',
        '\t',
        '\n',
        ' ',
        '?',
        '#',
        '@',
        ':',
        '%c0%ae',
        '%c0%af',
      ],
      ...['%e3%80%82', '%ef%bc%8e', '2e', '2f', '5c', '25', '32', '65', '%32', '%65', '*', '//'],
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
);
const nastyPath = fc.array(nasty, { maxLength: 10 }).map((atoms) => atoms.join(''));

describe('a path that a prefix pattern lets in', () => {
  const prefix = new PathPattern('/pub/**');
  const deep = new PathPattern('/pub/*/files/**');

  it.each(Object.entries(readings))('stays below its prefix as %s reads it', (_name, read) => {
    fc.assert(
      fc.property(nastyPath, (tail) => {
        const path = `/pub/${tail}`;
        const segments = splitOrNone(path);
        fc.pre(segments !== undefined && prefix.matches(segments));
        expect(`${read(path)}/`).toMatch(/^\/pub\//);
      }),
      { numRuns: 3_000, maxSkipsPerRun: 1_000 },
    );
  });

  it('is refused where a segment could vanish in front of a fixed one', () => {
    fc.assert(
      fc.property(nastyPath, nastyPath, (name, tail) => {
        const path = `/pub/${name}/files/${tail}`;
        const segments = splitOrNone(path);
        fc.pre(segments !== undefined && deep.matches(segments));
        for (const read of Object.values(readings)) {
          expect(read(path)).toMatch(/^\/pub\/[^/].*\/files(\/|$)/);
        }
      }),
      { numRuns: 1_000, maxSkipsPerRun: 1_000 },
    );
  });
});

it('never throws anything but its own fault', () => {
  fc.assert(
    fc.property(fc.oneof(nastyPath, fc.string({ unit: 'binary' })), (path) => {
      expect(() => splitOrNone(path)).not.toThrow();
    }),
  );
});

function faultOf(path: string): PullFault | undefined {
  try {
    splitPath(path);
    return undefined;
  } catch (error) {
    if (error instanceof PullFault) return error;
    throw error;
  }
}

function splitOrNone(path: string): readonly string[] | undefined {
  return faultOf(path) === undefined ? splitPath(path) : undefined;
}

/** Decodes each valid escape to one byte, as C code does. */
function latin1Decode(path: string): string {
  return path.replaceAll(/%([0-9a-f]{2})/gi, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Merges slashes and resolves dots; a path that climbs over the root has left. */
function resolveDots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}
