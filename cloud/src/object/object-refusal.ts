import {
  mostParts,
  type SignedContent,
  type SignedReading,
  type StoredPart,
} from './object-store.ts';
import { ObjectStoreError } from './object-store-error.ts';

/** Names joined by `/` that mean the same in a URL, in XML and on a file system; none begins with a dot. */
const keyPattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const longestKey = 512;
const visiblePattern = /^[\x21-\x7e]{1,1024}$/;
const hashPattern = /^[0-9a-f]{64}$/;

/** Amazon S3 User Guide, "Uploading objects": one PUT takes at most 5 GB. */
const mostBytes = 5 * 1024 ** 3;

// What follows may come from the wire. All of it throws `refused`, before any storage is asked.

export function checkObjectKey(key: string): void {
  refuseUnless(key.length <= longestKey && keyPattern.test(key), 'key');
}

export function checkUploadId(uploadId: string): void {
  refuseUnless(visiblePattern.test(uploadId), 'upload id');
}

export function checkPart(part: number): void {
  refuseUnless(Number.isInteger(part) && part >= 1 && part <= mostParts, 'part');
}

export function checkContent({ length, sha256 }: Pick<SignedContent, 'length' | 'sha256'>): void {
  refuseUnless(Number.isInteger(length) && length >= 0 && length <= mostBytes, 'length');
  refuseUnless(hashPattern.test(sha256), 'hash');
}

export function checkParts(parts: readonly StoredPart[]): void {
  refuseUnless(parts.length >= 1 && parts.length <= mostParts, 'list of parts');
  refuseUnless(new Set(parts.map(({ part }) => part)).size === parts.length, 'list of parts');
  for (const { part, etag, sha256 } of parts) {
    checkPart(part);
    refuseUnless(visiblePattern.test(etag), 'ETag');
    refuseUnless(hashPattern.test(sha256), 'hash');
  }
}

/** The values come from an upstream and become a header's. */
export function checkReading({ headers = {} }: SignedReading): void {
  for (const value of Object.values(headers)) {
    refuseUnless(/^[\t\x20-\x7e]{1,1024}$/.test(value), 'header');
  }
}

function refuseUnless(holds: boolean, what: string): void {
  if (!holds) throw new ObjectStoreError('refused', `the object storage takes no such ${what}`);
}
