import { PullFault } from '@pullwire/shared';
import type { ObjectStore } from '../object/object-store.ts';
import type { FoundUpload, UploadTickets } from '../object/upload-tickets.ts';
import { StoredBody } from './stored-body.ts';

export interface UploadedBodyParts {
  readonly upload: FoundUpload;
  readonly tickets: Pick<UploadTickets, 'take'>;
  readonly store: Pick<ObjectStore, 'open' | 'remove'>;
  /** Takes care of work that goes on beside the pull, and after it. */
  track(work: Promise<unknown>): void;
}

/**
 * A request's body that lies in the object storage. It is taken when its first bytes are wanted: a pull that the device
 * refuses leaves it for the next one. Once taken it is removed, whatever becomes of the pull.
 */
export class UploadedBody extends StoredBody {
  constructor({ upload, tickets, store, track }: UploadedBodyParts) {
    super({
      length: upload.length,
      open: async () => {
        if (!(await tickets.take(upload))) throw spent();
        return contentOf(store, upload);
      },
      closed: () => store.remove(upload.key).catch(() => undefined), // what stays is swept
      track,
    });
  }
}

async function* contentOf(
  store: Pick<ObjectStore, 'open'>,
  { key }: FoundUpload,
): AsyncGenerator<Uint8Array> {
  const { body } = await store.open(key);
  yield* body;
}

/** Another pull has named the upload before. */
export function spent(): PullFault {
  return new PullFault('upload-spent', 'send', {
    detail: 'another pull has named this upload before: ask for a new one (POST /uploads)',
  });
}
