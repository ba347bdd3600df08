/** A request target split into raw path and raw query (RFC 9112 §3.2). */
export interface Target {
  readonly path: string;
  /** Without `?`; undefined where there is none. */
  readonly query: string | undefined;
}

/** Origin form, or absolute form reduced to it; undefined for anything else (`*`, authority form, a fragment). */
export function parseTarget(raw: string): Target | undefined {
  const origin = raw.startsWith('/') ? raw : fromAbsolute(raw);
  if (origin === undefined || !targetBytes.test(origin)) return undefined;
  const mark = origin.indexOf('?');
  return mark === -1
    ? { path: origin, query: undefined }
    : { path: origin.slice(0, mark), query: origin.slice(mark + 1) };
}

/** Visible ASCII without `#`, and bytes above 0x7F as some clients send them raw. */
const targetBytes = /^[\x21\x22\x24-\x7e\x80-\xff]*$/;

function fromAbsolute(raw: string): string | undefined {
  const authority = /^https?:\/\/[^/?#]+/i.exec(raw);
  if (authority === null) return undefined;
  const rest = raw.slice(authority[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
