import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PathMemory } from './path-memory.ts';

let folder: string;
let file: string;
let warnings: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pullwire-paths-'));
  file = join(folder, 'device.key.paths.json');
  warnings = [];
});

afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

async function memory(at = file): Promise<PathMemory> {
  const logger = pino({ level: 'warn' }, { write: (line: string) => warnings.push(line) });
  const made = new PathMemory(at, logger);
  await made.start();
  return made;
}

const known = { goodMs: 56_250, bad: { ms: 84_375, at: 1_700_000_000_000 } };

describe('what is remembered of paths', () => {
  test('outlives the process, each relay for itself, for its owner alone', async () => {
    const before = await memory();
    before.keep('a.example', known);
    before.keep('b.example:8443', { goodMs: 25_000 });
    before.keep('b.example:8443', { goodMs: 37_500 });
    await before.stop();
    const after = await memory();
    expect(after.known('a.example')).toEqual(known);
    expect(after.known('b.example:8443')).toEqual({ goodMs: 37_500 });
    expect(after.known('c.example')).toEqual({ goodMs: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['device.key.paths.json']);
  });

  test('of many relays the latest are kept', async () => {
    const paths = await memory();
    for (let relay = 0; relay < 40; relay += 1) paths.keep(`r${relay}.example`, known);
    await paths.stop();
    const kept = Object.keys(JSON.parse(readFileSync(file, 'utf8')).paths);
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([16, 'r24.example', 'r39.example']);
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '{"version":1'],
    ['null', 'null'],
    ['another version', '{"version":2,"paths":{"a":{"goodMs":9}}}'],
    ['a list', '{"version":1,"paths":[{"goodMs":9}]}'],
    ['text for a number', '{"version":1,"paths":{"a":{"goodMs":"9"}}}'],
    ['a number without bounds', '{"version":1,"paths":{"a":{"goodMs":1e300}}}'],
    ['a negative number', '{"version":1,"paths":{"a":{"goodMs":-1}}}'],
    ['no object', '{"version":1,"paths":{"a":7,"b":null}}'],
    [
      'a file that is too large',
      `{"version":1,"paths":{"a":{"goodMs":9}},"x":"${'x'.repeat(20_000)}"}`,
    ],
  ])('a file with %s counts as empty', async (_name, text) => {
    writeFileSync(file, text);
    const paths = await memory();
    expect([paths.known('a'), paths.known('b')]).toEqual([{ goodMs: 0 }, { goodMs: 0 }]);
  });

  test('a mark that is damaged goes, and what held stays', async () => {
    writeFileSync(file, '{"version":1,"paths":{"a":{"goodMs":9,"bad":{"ms":"x","at":0}}}}');
    expect((await memory()).known('a')).toEqual({ goodMs: 9 });
  });

  test('where it cannot be written the agent goes on, and is told once', async () => {
    const paths = await memory(join(folder, 'missing', 'device.key.paths.json'));
    paths.keep('a', known);
    await paths.stop();
    paths.keep('a', { goodMs: 1 });
    await paths.stop();
    expect(paths.known('a')).toEqual({ goodMs: 1 });
    expect(warnings).toHaveLength(1);
  });
});
