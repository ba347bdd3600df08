import { describe, expect, it } from 'vitest';
import { parseSources, type SourceConfig } from './source-config.ts';

function parse(sources: unknown): ReadonlyMap<string, SourceConfig> {
  const result = parseSources(sources);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems, null, 1));
  return result.sources;
}

function problems(sources: unknown): string[] {
  const result = parseSources(sources);
  if (!('problems' in result)) throw new Error('no problems');
  return result.problems.map(({ key, value, expected }) => `${key} = ${value}: ${expected}`);
}

const http = { kind: 'http', url: 'http://127.0.0.1:9100' };
const file = { kind: 'file', root: '/var/log' };
const command = { kind: 'command', argv: ['uptime'] };

describe('the sources of a configuration', () => {
  it('get the documented defaults', () => {
    expect(parse({ a: http, b: file, c: command })).toEqual(
      new Map<string, unknown>([
        [
          'a',
          {
            ...http,
            headers: {},
            allow: [],
            limits: {
              requestBytes: 10_485_760,
              replyBytes: null,
              pulls: 256,
              rate: null,
              timeoutMs: 25_000,
              idleMs: 60_000,
              connectMs: 5_000,
            },
          },
        ],
        [
          'b',
          {
            ...file,
            listing: true,
            maxTailLines: 10_000,
            allow: [],
            limits: { requestBytes: 0, replyBytes: null, pulls: 64, rate: null },
          },
        ],
        [
          'c',
          {
            ...command,
            parameters: {},
            env: {},
            timeoutMs: 25_000,
            outputBytes: 10_485_760,
            contentType: 'text/plain; charset=utf-8',
            stderrTail: 2_000,
            allow: [],
            limits: { requestBytes: 0, pulls: 8, rate: null },
          },
        ],
      ]),
    );
  });

  it('take sizes and durations as numbers and as text', () => {
    const limits = {
      requestBytes: '64KiB',
      replyBytes: '1.5MB',
      rate: { perSecond: 2.5 },
      timeoutMs: '30s',
      idleMs: '5m',
      connectMs: 250,
    };
    expect(parse({ a: { ...http, limits } }).get('a')?.limits).toEqual({
      requestBytes: 65_536,
      replyBytes: 1_500_000,
      pulls: 256,
      rate: { perSecond: 2.5, burst: 3 },
      timeoutMs: 30_000,
      idleMs: 300_000,
      connectMs: 250,
    });
  });

  it('allow GET and HEAD where a rule names no methods', () => {
    const allow = [{ paths: ['/metrics'] }, { methods: ['PURGE', 'x-odd'], paths: ['/cache/**'] }];
    expect(parse({ a: { ...http, allow } }).get('a')?.allow).toEqual([
      { methods: ['GET', 'HEAD'], paths: ['/metrics'] },
      { methods: ['PURGE', 'x-odd'], paths: ['/cache/**'] },
    ]);
  });

  it.each([
    'http://host',
    'https://host:8443/base/',
    'http://[::1]:80/',
    'unix:/run/x.sock',
    'unix:/run/x.sock:/base',
  ])('take the URL %s', (url) => {
    parse({ a: { ...http, url } });
  });

  it('take secrets by reference, and commands with parameters', () => {
    parse({
      a: { ...http, headers: { 'X-Key': { env: 'KEY' }, 'X-Other': { file: '/run/key' } } },
      b: {
        ...command,
        argv: ['ping', '-c', '{count}', '--', '{host}'],
        parameters: {
          count: { pattern: '[1-9]', default: '3' },
          host: { values: ['gw', 'dns'], maxLength: 3 },
        },
        env: { TZ: 'UTC', TOKEN: { env: 'TOKEN' } },
        cwd: '/',
        timeoutMs: '2s',
        outputBytes: '1KiB',
      },
    });
  });
});

describe('a mistake in a source is named by key, value and what is expected', () => {
  it.each([
    [{ A: http }, 'sources.A = A: a name of at most 64 characters'],
    [{ a: null }, 'sources.a.kind = undefined: http, file or command'],
    [{ a: { kind: 'ftp' } }, 'sources.a.kind = ftp: http, file or command'],
    [{ a: { kind: 'http' } }, 'sources.a.url = undefined: a value: this key is required'],
    [{ a: { ...http, url: 'ftp://x' } }, 'sources.a.url = ftp://x: http://host[:port][/base]'],
    [{ a: { ...http, url: 7 } }, 'sources.a.url = 7: a URL'],
    [{ a: { ...http, url: 'http://h/?a=b' } }, 'sources.a.url = http://h/…: a URL without a query'],
    [{ a: { ...http, url: 'unix:x.sock' } }, 'sources.a.url = unix:x.sock: http://host'],
    [{ a: { ...http, url: 'unix:/x:/b/../c' } }, 'a base path without empty segments'],
    [{ a: { ...http, urk: 'x' } }, 'sources.a.urk = urk: no such key; known are kind, url'],
    [{ a: { ...http, limits: { pulls: 0 } } }, 'limits.pulls = 0: a whole number from 1 to 10000'],
    [{ a: { ...http, limits: { idleMs: '5 days' } } }, 'limits.idleMs = 5 days: milliseconds'],
    [{ a: { ...http, limits: { idleMs: '1000h' } } }, 'limits.idleMs = 1000h: milliseconds'],
    [{ a: { ...http, limits: { replyBytes: '5XB' } } }, 'limits.replyBytes = 5XB: bytes'],
    [{ a: { ...http, limits: { replyBytes: -1 } } }, 'limits.replyBytes = -1: bytes'],
    [{ a: { ...http, limits: { rate: { perSecond: 0 } } } }, 'rate.perSecond = 0: a number over 0'],
    [{ a: { ...http, allow: [{}] } }, 'allow.0.paths = undefined: a value: this key is required'],
    [{ a: { ...http, allow: [{ paths: ['x'] }] } }, 'allow.0.paths.0 = x: a pattern that begins'],
    [{ a: { ...http, allow: [{ paths: [] }] } }, 'allow.0.paths = (a list): at least one path'],
    [
      { a: { ...http, allow: [{ methods: ['CONNECT'], paths: ['/'] }] } },
      'allow.0.methods.0 = CONNECT: a method other than CONNECT',
    ],
    [
      { a: { ...file, allow: [{ methods: ['PUT'], paths: ['/'] }] } },
      'allow.0.methods.0 = PUT: GET or HEAD',
    ],
    [{ a: { ...http, headers: { 'Content-Length': '1' } } }, 'headers.Content-Length = Content-Le'],
    [{ a: { ...http, headers: { 'a b': '1' } } }, 'headers.a b = a b: a header name'],
    [{ a: { ...http, cert: '/c.pem' } }, '`cert` and `key` together'],
    [{ a: { ...http, ca: '/c.pem' } }, 'with an https: URL only'],
    [{ a: { ...http, ca: 'c.pem' } }, 'sources.a.ca = c.pem: an absolute path'],
    [{ a: { ...file, root: 'logs' } }, 'sources.a.root = logs: an absolute path'],
    [{ a: { ...file, limits: { idleMs: 1 } } }, 'limits.idleMs = idleMs: no such key'],
    [{ a: { ...command, argv: [] } }, 'sources.a.argv = (a list): at least a program'],
    [{ a: { ...command, argv: ['{x}'] } }, 'a program without {…} in it'],
    [{ a: { ...command, argv: ['ls', 'a{x}'] } }, '`parameters` to describe {x}'],
    [
      { a: { ...command, parameters: { x: { pattern: 'a' } } } },
      'argv to use {x}, which `parameters` describes',
    ],
    [parameter({}), 'parameters.x = (a map): `pattern` or `values`'],
    [parameter({ pattern: '(' }), 'parameters.x.pattern = (: a regular expression'],
    [parameter({ pattern: 'a)|(b' }), 'parameters.x.pattern = a)|(b: a regular expression'],
    [parameter({ pattern: 'a', default: 'b' }), 'a `default` that `pattern`'],
  ])('%j', (sources, expected) => {
    expect(problems(sources).join('\n')).toContain(expected);
  });

  it('and all of them at once', () => {
    expect(
      problems({
        a: { ...http, x: 1, y: 2, limits: { pulls: 'many', z: 3 } },
        b: { kind: 'file', root: 'r', listing: 'yes' },
        C: 3,
      }).map((line) => line.split(' = ')[0]),
    ).toEqual([
      'sources.a.limits.pulls',
      'sources.a.limits.z',
      'sources.a.x',
      'sources.a.y',
      'sources.b.root',
      'sources.b.listing',
      'sources.C',
      'sources.C.kind',
    ]);
  });

  it('but a secret is never repeated', () => {
    const found = problems({
      a: {
        ...http,
        url: 'http://admin:hunter2@host/?token=hunter2',
        password: 'hunter2',
        headers: { authorization: 42, cookie: ['hunter2'], 'x y': 'hunter2' },
      },
      b: { ...http, headers: 'hunter2' },
      c: { ...command, env: { TOKEN: { value: 'hunter2' } } },
    });
    expect(found.join('\n')).not.toMatch(/hunter2|42/);
    expect(found.length).toBeGreaterThan(6);
  });

  it.each([undefined, null, [], 'x'])('and %j is not a map of sources', (value) => {
    expect(problems(value)).toEqual(['sources = undefined: a map of source names']);
  });

  it('and 129 sources are too many', () => {
    const many = Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`s${i}`, http]));
    expect(problems(many)).toEqual(['sources = 129: at most 128 sources']);
  });
});

function parameter(x: unknown) {
  return { a: { ...command, argv: ['ls', '{x}'], parameters: { x } } };
}
