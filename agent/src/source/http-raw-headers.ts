import type { HeaderList } from '@pullwire/shared';

const none: HeaderList = [];

/** undici's raw headers (buffers: name, value, name…) as text; Latin-1 keeps every byte (RFC 9110 §5.5). */
export function rawHeaders(raw: unknown): HeaderList {
  if (!Array.isArray(raw) || raw.length === 0) return none;
  const headers: string[] = new Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) headers[i] = (raw[i] as Buffer).toString('latin1');
  return headers;
}

/** undici decodes the reason phrase as UTF-8; this gives its bytes back as Latin-1. */
export function reasonPhrase(text: string): string {
  return /^[\t\x20-\x7e]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}
