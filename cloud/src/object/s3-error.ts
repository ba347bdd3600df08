import { AwsCallError, systemCode } from './https-aws-client.ts';
import { ObjectStoreError } from './object-store-error.ts';

/** A fault that S3 found out after it had answered 200. */
export function lateError(code: string): ObjectStoreError {
  return toError(new AwsCallError(codeStatus(code), code));
}

/** 412 is there already, 409 is being written by another (Amazon S3 User Guide, "Conditional writes"). */
export function isTaken(error: unknown): boolean {
  if (!(error instanceof ObjectStoreError && error.cause instanceof AwsCallError)) return false;
  return error.cause.status === 412 || error.cause.status === 409;
}

export function unlessMissing(error: unknown): void {
  if (!(error instanceof ObjectStoreError) || error.code !== 'missing') throw error;
}

/** What an error inside a 200 would have had as its status: the faults of the moment are S3's, the others ours. */
function codeStatus(code: string): number {
  if (code === 'NoSuchUpload') return 404;
  return code === 'InternalError' || code === 'SlowDown' || code === 'ServiceUnavailable'
    ? 503
    : 400;
}

export function toError(cause: unknown): ObjectStoreError {
  if (cause instanceof ObjectStoreError) return cause;
  if (!(cause instanceof AwsCallError)) {
    const text = `the object storage broke off: ${systemCode(cause)}`;
    return new ObjectStoreError('unavailable', text, cause);
  }
  const { status } = cause;
  if (status === 404) return new ObjectStoreError('missing', `not there: ${cause.code}`, cause);
  if (status === 0 || status === 429 || status >= 500) {
    const text = `the object storage cannot be used: ${cause.message}`;
    return new ObjectStoreError('unavailable', text, cause);
  }
  const code = status >= 400 ? 'refused' : 'failed';
  return new ObjectStoreError(code, `the object storage refused it: ${cause.message}`, cause);
}
