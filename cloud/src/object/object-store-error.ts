/** Why the object storage could not do what it was asked. */
export type ObjectStoreErrorCode =
  /** There is no such object or upload. On S3 also a bucket that is not there. */
  | 'missing'
  /** The credentials may not do this, or the storage finds the request wrong: a later try fails as well. */
  | 'refused'
  /** It cannot be reached, is throttled or failed for now; a later try may work. */
  | 'unavailable'
  /** It answered what we do not understand. */
  | 'failed';

/** The object storage's one error. Messages are for people; they hold no signed URL and no credential. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError';
  readonly code: ObjectStoreErrorCode;

  constructor(code: ObjectStoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
