import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runCommand } from '../command.ts';
import type { Check } from './check.ts';

const HADOLINT = join(ROOT, '.cache/hadolint/bin/hadolint');

export const dockerfileCheck: Check = {
  name: 'Dockerfile.agent',
  advice: 'hadolint names the rule; github.com/hadolint/hadolint/wiki says what it is about',
  missing: () =>
    hasHadolint() ? undefined : 'hadolint is not there: scripts/install-hadolint installs it',
  run: () => lintDockerfile(join(ROOT, 'Dockerfile.agent')),
};

export function hasHadolint(): boolean {
  return existsSync(HADOLINT);
}

/** Returns what hadolint says of a file, whatever its severity; an empty text is a pass. */
export async function lintDockerfile(file: string): Promise<string> {
  const argv = [HADOLINT, '--no-color', '--failure-threshold', 'style', file] as const;
  const { code, output } = await runCommand(argv, { output: 'collect' });
  return code === 0 ? '' : output || `hadolint exited with ${code}`;
}
