import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasHadolint, lintDockerfile } from './dockerfile.ts';

const isCi = process.env['CI'] === 'true';
const isMissing = !hasHadolint() && !isCi;
const skipped = isMissing ? ' [skipped: scripts/install-hadolint installs it]' : '';

describe.skipIf(isMissing)(`the linter of Dockerfiles${skipped}`, () => {
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pullwire-hadolint-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['DL3007', 'FROM debian:latest'],
    ['DL3002', 'FROM debian:12\nUSER root'],
    [
      'DL3015',
      'FROM debian:12\nRUN apt-get update && apt-get install -y x=1 && rm -rf /var/lib/apt/lists/*',
    ],
    ['DL3046', 'FROM debian:12\nRUN useradd -u 123456 x'],
    ['SC2086', 'FROM debian:12\nRUN [ $A = b ] && a $B'],
  ])('complains by %s', async (rule, text) => {
    const file = join(folder, 'Dockerfile');
    await writeFile(file, `${text}\n`);
    expect(await lintDockerfile(file)).toContain(rule);
  });
});
