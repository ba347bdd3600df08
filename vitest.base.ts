import type { ViteUserConfig } from 'vitest/config';
import { TallyReporter } from './scripts/tally-reporter.ts';

type TestSettings = NonNullable<ViteUserConfig['test']>;

/**
 * The vitest settings that every package of this repository shares. Each package's
 * `vitest.config.ts` calls this, with what it needs otherwise.
 *
 * A test file gets a process of its own (`forks`): the programs under test own signals, sockets
 * and process-wide counters. Times are in milliseconds. The tally is what `npm test` adds up.
 */
export function vitestBase(settings: TestSettings = {}): ViteUserConfig {
  return {
    test: {
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      pool: 'forks',
      testTimeout: 20_000,
      hookTimeout: 20_000,
      reporters: ['default', new TallyReporter()],
      ...settings,
    },
  };
}
