import { BUNDLES, buildPackage } from '../../scripts/bundle.ts';

/** Whole-path tests run what ships, and never what was built some time ago. */
export async function setup(): Promise<void> {
  for (const name of Object.keys(BUNDLES)) await buildPackage(name);
}
