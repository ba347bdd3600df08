import { vitestBase } from '../vitest.base.ts';

// These tests run compilers and test runners of their own.
export default vitestBase({ include: ['**/*.test.ts'], testTimeout: 60_000 });
