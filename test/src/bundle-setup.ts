import { fileURLToPath } from 'node:url';
import { BUNDLES, bundlePackage } from '../../scripts/bundle.ts';

/** Whole-path tests run what ships, and never what was built some time ago. */
export async function setup(): Promise<void> {
  for (const [name, bundles] of Object.entries(BUNDLES)) {
    await bundlePackage(fileURLToPath(new URL(`../../${name}/`, import.meta.url)), bundles);
  }
}
