import { systemClock } from '@pullwire/shared';
import type { Issuers } from '../auth/issuers.ts';
import { ConfigError } from '../config/config-error.ts';

/**
 * The issuers that PULLWIRE_ISSUERS names; undefined where it names none, and then nothing of them is loaded.
 *
 * @throws ConfigError naming every mistake.
 */
export async function functionIssuers(list: readonly unknown[]): Promise<Issuers | undefined> {
  if (list.length === 0) return undefined;
  const [{ parseIssuers }, { Issuers }, { HttpsIssuerKeys }] = await Promise.all([
    import('../config/issuer-config.ts'),
    import('../auth/issuers.ts'),
    import('../issuer/https-issuer-keys.ts'),
  ]);
  const parsed = parseIssuers(list);
  if ('mistakes' in parsed) {
    throw new ConfigError(parsed.mistakes.map((mistake) => `PULLWIRE_ISSUERS: ${mistake}`));
  }
  return new Issuers({
    issuers: parsed.issuers,
    keysOf: (config) => new HttpsIssuerKeys({ config, clock: systemClock }),
  });
}
