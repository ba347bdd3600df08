import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readManifest } from './agreement-manifest.ts';
import { readZips } from './agreement-zips.ts';
import { deterministicZip } from './lambda-zip.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-zips-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function plant(name: string, file: string, code: string): Promise<void> {
  await writeFile(join(folder, `${name}.zip`), deterministicZip({ [file]: Buffer.from(code) }));
}

it('a zip tells what it exports, and which variables it looks at', async () => {
  await plant(
    'sweep',
    'index.mjs',
    `const { PULLWIRE_TABLE, AWS_REGION } = process.env;
    process.env.PULLWIRE_QUEUE;
    export const handler = async () => [PULLWIRE_TABLE, AWS_REGION];`,
  );
  expect(await readZips(folder, await readManifest())).toEqual({
    sweep: {
      files: ['index.mjs'],
      trouble: undefined,
      asks: ['PULLWIRE_QUEUE', 'PULLWIRE_TABLE'],
      exports: ['handler'],
    },
  });
});

it('a zip has only the variables that relay.json gives it, and says so where that is too little', async () => {
  const code = `if (process.env.PULLWIRE_BUCKET === undefined) throw new Error('no bucket');`;
  await plant('sweep', 'index.mjs', code);
  await plant('connect', 'index.mjs', code);
  await plant('http', 'main.mjs', code);
  const zips = await readZips(folder, await readManifest());
  expect(zips['sweep']?.trouble).toBeUndefined();
  expect(zips['connect']?.trouble).toMatch(/^Error: no bucket/);
  expect(zips['http']?.trouble).toMatch(/Cannot find module/);
});
