import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ConfigProblem } from '../source/config-problem.ts';

/** The text of a file of certificates (PEM); undefined where none is named. */
export function readAuthorities(
  path: string | null,
): { readonly pem: string | undefined } | { readonly problems: readonly ConfigProblem[] } {
  if (path === null) return { pem: undefined };
  try {
    const pem = readFileSync(path, 'utf8');
    // Throws where the first one cannot be parsed; a file that holds none would leave no authority at all.
    new X509Certificate(pem);
    return { pem };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const expected = `a readable file of certificates in PEM (${code ?? String(error)})`;
    return { problems: [{ key: 'ca', value: path, expected }] };
  }
}
