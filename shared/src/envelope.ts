import type { Fields } from './field.ts';

/**
 * A received frame before its fields are checked, as both encodings see it: the fields that have a place of their own
 * in the binary header, and all the others.
 */
export interface Envelope {
  readonly pullId: unknown;
  readonly replyTo: unknown;
  readonly seq: unknown;
  readonly end: unknown;
  /** Undefined where there is none; an empty one is kept for `body` alone. */
  readonly body: Uint8Array | undefined;
  readonly fields: Fields;
}

/** Messages are put together field by field, since an optional field must be absent rather than undefined. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] };
