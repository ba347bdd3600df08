import { vitestBase } from '../vitest.base.ts';

// Whole-path tests start real programs and measure them: one file at a time on two cores.
export default vitestBase({
  include: ['**/*.test.ts'],
  globalSetup: './src/bundle-setup.ts',
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
});
