import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where `npm run setup:aws` puts it. */
const usualPath = fileURLToPath(
  new URL('../../../.cache/ministack/bin/ministack', import.meta.url),
);

/** The executable, or why the tests that need it are skipped. */
export type FoundMinistack = { readonly path: string } | { readonly skip: string };

/**
 * Finds ministack: `PULLWIRE_MINISTACK` names its executable, else it is where `npm run setup:aws` installs it.
 *
 * @throws Error where it is missing and `env.CI` is `true`, CI runs every test; or where the variable names no program.
 */
export function findMinistack(
  env: Readonly<Record<string, string | undefined>> = process.env,
  installed = usualPath,
): FoundMinistack {
  const named = env['PULLWIRE_MINISTACK'];
  const path = named ?? installed;
  if (isExecutable(path)) return { path };
  if (named !== undefined) throw new Error(`PULLWIRE_MINISTACK=${named} is no program`);
  const reason = 'ministack is not installed: npm run setup:aws';
  if (env['CI'] === 'true') throw new Error(`${reason}; under CI=true no test may be skipped`);
  return { skip: reason };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
