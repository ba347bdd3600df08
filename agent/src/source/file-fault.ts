import { PullFault } from '@pullwire/shared';
import { NotServedError } from './open-below.ts';

/** There is nothing, or nothing that is served: a link (ELOOP), a file where a folder should be, no possible name. */
const notThere = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EMLINK', 'ENXIO']);

/** What an error of the file system means for the pull. Nothing of the path on the device is told. */
export function fileFault(error: unknown, source: string, hasBegun: boolean): PullFault {
  if (error instanceof PullFault) return error;
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  if (error instanceof NotServedError || (notThere.has(code) && !hasBegun)) {
    const detail = `source "${source}" has no file or folder at this path`;
    return new PullFault('source-not-found', 'upstream', { detail, cause: error });
  }
  const detail = `source "${source}" could not be read (${code})`;
  return hasBegun
    ? new PullFault('reply-broken', 'stream', { detail, cause: error })
    : new PullFault('source-failed', 'upstream', { detail, cause: error });
}
