import { describe } from 'vitest';
import { findMinistack } from './find-ministack.ts';

/** `describe` for tests that need ministack. Where it is missing, the suite is skipped and its title says why. */
export function describeWithMinistack(title: string, body: () => void): void {
  const found = findMinistack();
  const skipped = 'skip' in found;
  describe.skipIf(skipped)(skipped ? `${title} [skipped: ${found.skip}]` : title, body);
}
