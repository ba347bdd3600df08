import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { measureStarts, median } from './lambda-start.ts';
import { emptyName, reportStarts } from './lambda-start-report.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-start-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function module(name: string, code: string) {
  const file = join(folder, `${name}.mjs`);
  await writeFile(file, code);
  return { name, file };
}

describe('the start of a module', () => {
  it('is measured in a process of its own, a figure a round', async () => {
    const busy = `const until = performance.now() + 100; while (performance.now() < until);`;
    const modules = [await module('idle', ''), await module('busy', busy)];
    const times = await measureStarts(modules, folder, { rounds: 2, env: process.env });
    expect(times.get('idle')).toHaveLength(2);
    for (const ms of times.get('busy') ?? []) expect(ms).toBeGreaterThan(100);
  });

  it('that fails says why', async () => {
    const broken = await module('broken', `throw new Error('PULLWIRE_TABLE: is not set')`);
    const measured = measureStarts([broken], folder, { rounds: 1, env: process.env });
    await expect(measured).rejects.toThrow(/broken\.mjs: [\s\S]*PULLWIRE_TABLE: is not set/);
  });

  it('counts by its median', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([9, 1, 2, 3])).toBe(2);
    expect(median([])).toBeNaN();
  });
});

describe('the report', () => {
  const size = {
    name: 'http',
    bytes: 224_800,
    budget: 900_000,
    zipBytes: 1,
    packages: { cloud: 88_000, ws: 4_150 },
  };

  it('has a line a function: time, ratio, size and what is in it', () => {
    const times = new Map([
      [emptyName, [40, 50, 41]],
      ['http', [90, 82, 300]],
    ]);
    const { text, slow } = reportStarts(times, [size]);
    expect(text.split('\n')).toEqual([
      'process start to module ready, medians',
      'empty handler     41.0 ms   1.00x ',
      'http              90.0 ms   2.20x  225 KB  cloud 88 KB, ws 4.2 KB',
    ]);
    expect(slow).toEqual([]);
  });

  it('names who is slower than 2.5 times an empty handler, and who was not measured', () => {
    const times = new Map([
      [emptyName, [40]],
      ['http', [101]],
      ['sweep', [100]],
      ['connect', []],
    ]);
    expect(reportStarts(times, [size]).slow).toEqual(['http', 'connect']);
  });
});
