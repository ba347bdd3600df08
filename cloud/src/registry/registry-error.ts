/** Why the registry could not do what it was asked. */
export type RegistryErrorCode =
  /** It cannot be reached, is throttled or failed; a later try may work. */
  | 'unavailable'
  /** The credentials are missing, wrong or may not do this. */
  | 'denied'
  /** There is no table of this name. */
  | 'table-missing'
  /** The table is not one of ours. */
  | 'wrong-table'
  /** A newer pullwire wrote this table. */
  | 'newer-schema'
  /** What was to be added is there already, and differs. */
  | 'conflict'
  /** The engine does not take the item: it is too large, or a value is not valid. */
  | 'refused'
  /** An item is not as we write them. */
  | 'damaged';

/** The registry's one error. Messages are for people and hold no secret; code branches on `code`. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;

  constructor(code: RegistryErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
