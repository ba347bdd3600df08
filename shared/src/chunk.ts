/**
 * The pieces of `bytes`, each of `size` bytes but the last, as views: nothing is copied. No bytes, no pieces.
 * Throws `RangeError` where `size` is not at least 1.
 */
export function* chunk(bytes: Uint8Array, size: number): Generator<Uint8Array, void, void> {
  if (!(size >= 1)) throw new RangeError(`chunk size ${size} is not at least 1`);
  if (bytes.length > 0 && bytes.length <= size) {
    yield bytes;
    return;
  }
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
