/**
 * Where bodies lie that are too large for frames (DESIGN.md, "Decisions" 5). Those of pulls go there by signed URLs, each
 * good for exactly one length and hash, and do not pass through the relay on their way in; those of readings are `put`.
 *
 * A key is names of letters, digits, `.`, `_` and `-`, none of them beginning with a dot, joined by `/`: at most 512
 * characters. Every method throws, or rejects with, `ObjectStoreError`; anything else than a key is `refused`.
 */
export interface ObjectStore {
  /** For a whole object. The same bytes may be put again: the answer to an earlier try was perhaps lost. */
  presignPut(key: string, content: SignedContent): SignedPut;
  /** Begins an object of several parts. Resolves with the id of the upload. */
  beginMultipart(key: string): Promise<string>;
  /** For one part, numbered from 1; every part but the last has at least 5 MiB. The same part may be put again. */
  presignPart(key: string, uploadId: string, part: number, content: SignedContent): SignedPut;
  /** Joins all parts, in the order of their numbers; only then is the object there. */
  completeMultipart(key: string, uploadId: string, parts: readonly StoredPart[]): Promise<void>;
  /** Drops the parts; one that is not there any more is no error. */
  abortMultipart(key: string, uploadId: string): Promise<void>;
  /** Writes a whole object, in place of one that is there. */
  put(key: string, body: Uint8Array): Promise<void>;
  /**
   * The object, or some bytes of it that it has. The body must be iterated, once, and sets the pace; ending that early
   * closes it. `unavailable` where it breaks off.
   */
  open(key: string, range?: ByteRange): Promise<OpenObject>;
  /** Bytes of the object. */
  head(key: string): Promise<number>;
  /** A URL at which anybody can read the object until it expires. */
  presignGet(key: string, reading: SignedReading): string;
  /**
   * Makes an object of no bytes; false where there is one of that key. Of several who claim it at most one is told true:
   * nobody is where the answer was lost on its way.
   */
  claim(key: string): Promise<boolean>;
  /** One that is not there is no error. */
  remove(key: string): Promise<void>;
  /** Keys of the objects below the prefix that were last written before `time` (epoch milliseconds). */
  olderThan(prefix: string, time: number): AsyncIterable<string>;
  /** Uploads of several parts below the prefix that began before `time` and were neither completed nor aborted. */
  unfinishedBefore(prefix: string, time: number): AsyncIterable<UnfinishedUpload>;
}

/** What one signed URL is good for. */
export interface SignedContent {
  /** Bytes. */
  readonly length: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly expiresSeconds: number;
}

/** `PUT url` with exactly these headers (lower-case names), `content-length` among them, and a body that fits them. */
export interface SignedPut {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A part that was put. */
export interface StoredPart {
  readonly part: number;
  /** The answer's `ETag`, as it came. */
  readonly etag: string;
  /** The hash that was signed: lower-case hexadecimal. */
  readonly sha256: string;
}

/** From one byte, up to before another: at least one. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

export interface OpenObject {
  /** Bytes of what the body gives. */
  readonly length: number;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface SignedReading {
  readonly expiresSeconds: number;
  /** What the answer shall say about the object. */
  readonly headers?: Partial<Readonly<Record<ReadingHeader, string>>>;
}

/** Those that S3 lets a signed URL set (GetObject, `response-*`). */
export type ReadingHeader =
  | 'cache-control'
  | 'content-disposition'
  | 'content-encoding'
  | 'content-language'
  | 'content-type';

export interface UnfinishedUpload {
  readonly key: string;
  readonly uploadId: string;
}

/** Parts that an object can have (Amazon S3 User Guide, "Amazon S3 multipart upload limits"). */
export const mostParts = 10_000;

/** Bytes of every part but the last at least (Amazon S3 User Guide, "Amazon S3 multipart upload limits"). */
export const smallestPartBytes = 5 * 1024 * 1024;
