import type { Complete } from '@pullwire/shared';
import type { AnnouncedPart } from '../pull/object-reply.ts';

/** The agent's word that all parts are in the storage. */
export type UploadEnd = Pick<Complete, 'parts' | 'length'>;

/** A reply on its way through object storage, as far as the agent's messages came: to whichever process. */
export interface KeptUpload {
  /** In the order of their numbers. */
  readonly parts: readonly AnnouncedPart[];
  /** Where it has several parts. */
  readonly uploadId?: string;
  readonly end?: UploadEnd;
}
