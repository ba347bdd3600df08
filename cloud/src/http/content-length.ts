import type { HeaderList } from '@pullwire/shared';

/**
 * The declared length of a message (RFC 9110 §8.6): undefined where there is none, `invalid` where it is not one
 * decimal number. Several values, equal ones too, are invalid: they are how requests and replies are smuggled.
 */
export function contentLength(headers: HeaderList): number | undefined | 'invalid' {
  let found: number | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length !== 14 || name.toLowerCase() !== 'content-length') continue;
    const value = headers[i + 1] as string;
    if (found !== undefined || !/^\d{1,15}$/.test(value)) return 'invalid';
    found = Number(value);
  }
  return found;
}
