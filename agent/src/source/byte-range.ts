/** From the first byte up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const single = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/**
 * The one range that a `Range` asks for of `size` bytes, or `unsatisfiable` (RFC 9110 §14.1.1, §14.1.2). Undefined where
 * the whole is to be sent: other units, what is malformed, and several ranges, which a server may ignore (§14.2).
 */
export function parseByteRange(
  field: string,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = single.exec(field) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first === '') return suffix(Number(last), size);
  const start = Number(first);
  const stop = last === '' ? Number.POSITIVE_INFINITY : Number(last);
  if (stop < start) return undefined;
  if (start >= size) return 'unsatisfiable';
  return { start, end: Math.min(stop + 1, size) };
}

function suffix(length: number, size: number): ByteRange | 'unsatisfiable' | undefined {
  if (length === 0) return 'unsatisfiable';
  // The last bytes of nothing are all of it, for which Content-Range has no words.
  return size === 0 ? undefined : { start: Math.max(0, size - length), end: size };
}
