import { type HeaderList, headerValue } from '@pullwire/shared';
import type { CredentialHeader } from '../http/pull-headers.ts';
import { AuthError } from './auth-error.ts';

/** What a request says about whose it is, before anything is checked. */
export interface CallerCredential {
  readonly header: CredentialHeader;
  readonly text: string;
}

/**
 * `Pullwire-Key` wins: an `Authorization` beside it is the upstream's own. Of a header that is repeated, the first
 * one counts. Throws `AuthError` `key-missing`.
 */
export function credentialOf(headers: HeaderList): CallerCredential {
  const own = headerValue(headers, 'pullwire-key');
  if (own !== undefined) return { header: 'pullwire-key', text: own };
  const bearer = bearerOf(headerValue(headers, 'authorization'));
  if (bearer !== undefined) return { header: 'authorization', text: bearer };
  throw new AuthError('key-missing', 'no caller key: send it as Pullwire-Key');
}

/** The scheme's name has no case (RFC 9110 §11.1). */
function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || !/^bearer /i.test(authorization)) return undefined;
  return authorization.slice('bearer '.length).trim();
}
