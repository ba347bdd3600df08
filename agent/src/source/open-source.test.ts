import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openFrom } from '../../test/source/source-deps.ts';
import { SourceOpenError } from './open-source.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pullwire-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function problems(config: object, env: Record<string, string> = {}): string[] {
  try {
    openFrom(config, { env });
  } catch (error) {
    if (!(error instanceof SourceOpenError)) throw error;
    return error.problems.map(({ key, expected }) => `${key}: ${expected}`);
  }
  throw new Error('opened');
}

it('says of each source its name, kind and methods', () => {
  const allow = [{ paths: ['/a'] }, { methods: ['GET', 'POST'], paths: ['/b'] }];
  const source = openFrom({ kind: 'http', url: 'http://127.0.0.1', allow });
  expect(source.info).toEqual({ name: 'test', kind: 'http', methods: ['GET', 'HEAD', 'POST'] });
  const file = openFrom({ kind: 'file', root: '/' });
  expect(file.info).toEqual({ name: 'test', kind: 'file', methods: [] });
  const command = openFrom({ kind: 'command', argv: ['true'], allow: [{ paths: ['/'] }] });
  expect(command.info).toEqual({ name: 'test', kind: 'command', methods: ['GET', 'HEAD'] });
});

it('names every secret and certificate that is not there, at once', () => {
  writeFileSync(join(dir, 'not.pem'), 'hunter2');
  const https = { kind: 'http', url: 'https://127.0.0.1' };
  const headers = { A: { env: 'MISSING' }, B: { file: join(dir, 'missing') }, C: 'fine' };
  expect(problems({ ...https, headers, ca: join(dir, 'gone.pem') })).toEqual([
    'sources.test.headers.A: the environment variable MISSING to be set',
    `sources.test.headers.B: the file ${join(dir, 'missing')} to be readable (ENOENT)`,
    `sources.test.ca, cert, key: the file ${join(dir, 'gone.pem')} to be readable (ENOENT)`,
  ]);
  const [bad = ''] = problems({ ...https, cert: join(dir, 'not.pem'), key: join(dir, 'not.pem') });
  expect(bad).toContain('to be PEM files that fit together');
  expect(bad).not.toContain('hunter2');
  const env = { T: { env: 'MISSING' } };
  expect(problems({ kind: 'command', argv: ['true'], env })).toEqual([
    'sources.test.env.T: the environment variable MISSING to be set',
  ]);
});

it('refuses a secret that would break a header, without repeating it', () => {
  writeFileSync(join(dir, 'key'), 'hunter2\nX-Evil: 1\n');
  const headers = { A: { file: join(dir, 'key') }, B: { env: 'B' } };
  const found = problems({ kind: 'http', url: 'http://x', headers }, { B: 'hunter2\r\n' });
  expect(found).toEqual([
    'sources.test.headers.A: a header value: Latin-1 without line breaks',
    'sources.test.headers.B: a header value: Latin-1 without line breaks',
  ]);
});

it('takes the line break off the end of a secret in a file', () => {
  writeFileSync(join(dir, 'key'), 'hunter2\r\n');
  openFrom({ kind: 'http', url: 'http://x', headers: { A: { file: join(dir, 'key') } } });
});
