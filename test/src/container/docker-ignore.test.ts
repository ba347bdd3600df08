import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DockerIgnore } from './docker-ignore.ts';

describe('a .dockerignore', () => {
  it.each([
    ['*', '.env', true],
    ['*', 'a/b/c', true],
    ['a/*', 'a', false],
    ['a', 'a/b/c', true],
    ['/a/', 'a/b', true],
    ['a', 'b/a', false],
    ['**/a', 'a', true],
    ['**/a', 'b/c/a', true],
    ['**/*.test.ts', 'agent/src/x.test.ts', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['a.c', 'abc', false],
    ['# a', 'a', false],
    ['*\n!a/b', 'a/b/c', false],
    ['*\n!a/b', 'a/c', true],
    ['*\n!*/b', 'a/b', false],
    ['!a\n*', 'a', true],
  ])('%j: of %s the answer is %s', (text, path, isIgnored) => {
    expect(new DockerIgnore(text).ignores(path)).toBe(isIgnored);
  });

  it('finds what an exception brings back, however deep it lies', () => {
    const context = mkdtempSync(join(tmpdir(), 'pullwire-ignore-'));
    const files = ['key.pem', 'a/package.json', 'a/key.pem', 'b/c/d/e.ts', 'b/c/e.ts', 'f/**'];
    for (const file of files) {
      mkdirSync(dirname(join(context, file)), { recursive: true });
      writeFileSync(join(context, file), '');
    }
    const ignore = new DockerIgnore('*\n!*/package.json\n!b/c/d');
    expect(ignore.filesBelow(context)).toEqual(['a/package.json', 'b/c/d/e.ts']);
    rmSync(context, { recursive: true });
  });
});
