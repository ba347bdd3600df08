import type { Clock } from '@pullwire/shared';
import { type AwsCall, AwsClient, readText } from './https-aws-client.ts';
import type { HttpsAnswer } from './https-client.ts';
import {
  checkContent,
  checkObjectKey,
  checkPart,
  checkParts,
  checkReading,
  checkUploadId,
} from './object-refusal.ts';
import type {
  ByteRange,
  ObjectStore,
  OpenObject,
  SignedContent,
  SignedPut,
  SignedReading,
  StoredPart,
  UnfinishedUpload,
} from './object-store.ts';
import { ObjectStoreError } from './object-store-error.ts';
import { type BucketAddress, type BucketPlace, bucketAddress } from './s3-address.ts';
import { blocks, completionBody, element, elements, hexToBase64 } from './s3-answer.ts';
import { isTaken, lateError, toError, unlessMissing } from './s3-error.ts';
import { type AwsCredentials, signByQuery } from './sigv4.ts';

export interface S3ObjectStoreParts extends BucketPlace {
  readonly credentials: AwsCredentials;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/**
 * A bucket of Amazon S3, or of what speaks its API.
 *
 * The hash is bound by a signed `x-amz-checksum-sha256`: a presigned URL does not sign the body itself. Without
 * `s3:ListBucket` S3 answers 403 for an object that is not there: `refused` then stands for `missing`.
 */
export class S3ObjectStore implements ObjectStore {
  readonly #client: AwsClient;
  readonly #address: BucketAddress;

  constructor({ credentials, clock, random, ...place }: S3ObjectStoreParts) {
    const scope = { credentials, region: place.region, service: 's3' };
    this.#client = new AwsClient({ scope, clock, random });
    this.#address = bucketAddress(place);
  }

  /** Closes its connections. */
  stop(): void {
    this.#client.stop();
  }

  presignPut(key: string, content: SignedContent): SignedPut {
    return this.#presign(this.#object(key), content);
  }

  async beginMultipart(key: string): Promise<string> {
    const url = this.#object(key, '?uploads=');
    const headers = { 'x-amz-checksum-algorithm': 'SHA256' };
    return element(await this.#text({ method: 'POST', url, headers }), 'UploadId');
  }

  presignPart(key: string, uploadId: string, part: number, content: SignedContent): SignedPut {
    checkPart(part);
    return this.#presign(this.#upload(key, uploadId, `partNumber=${part}&`), content);
  }

  async completeMultipart(
    key: string,
    uploadId: string,
    parts: readonly StoredPart[],
  ): Promise<void> {
    checkParts(parts);
    const url = this.#upload(key, uploadId);
    const headers = { 'content-type': 'application/xml' };
    const body = completionBody(parts.toSorted((a, b) => a.part - b.part));
    const answer = await this.#text({ method: 'POST', url, headers, body });
    // S3 may find out that it fails after it has answered 200 (Amazon S3 API Reference, CompleteMultipartUpload).
    const code = elements(answer, 'Code')[0];
    if (code !== undefined) throw lateError(code);
  }

  async abortMultipart(key: string, uploadId: string): Promise<void> {
    const call = { method: 'DELETE', url: this.#upload(key, uploadId) };
    await this.#text(call).catch(unlessMissing);
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    await this.#text({ method: 'PUT', url: this.#object(key), body });
  }

  async open(key: string, range?: ByteRange): Promise<OpenObject> {
    const call = { method: 'GET', url: this.#object(key) };
    const headers = range && { range: `bytes=${range.from}-${range.to - 1}` };
    const answer = await this.#call({ ...call, ...(headers && { headers }) });
    return { length: lengthOf(answer), body: translated(answer.body) };
  }

  async head(key: string): Promise<number> {
    const answer = await this.#call({ method: 'HEAD', url: this.#object(key) });
    await readText(answer);
    return lengthOf(answer);
  }

  presignGet(key: string, reading: SignedReading): string {
    checkReading(reading);
    const { expiresSeconds, headers = {} } = reading;
    const query = Object.entries(headers).map(
      ([name, value]) => `response-${name}=${encodeURIComponent(value)}`,
    );
    const url = this.#object(key, query.length === 0 ? '' : `?${query.join('&')}`);
    const request = { method: 'GET', url, headers: {} };
    return signByQuery(request, expiresSeconds, this.#client.scope, this.#client.now());
  }

  async claim(key: string): Promise<boolean> {
    const headers = { 'if-none-match': '*' };
    try {
      await this.#text({ method: 'PUT', url: this.#object(key), headers });
      return true;
    } catch (error) {
      if (isTaken(error)) return false;
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    await this.#text({ method: 'DELETE', url: this.#object(key) }).catch(unlessMissing);
  }

  async *olderThan(prefix: string, time: number): AsyncGenerator<string> {
    let page = '';
    do {
      const search = `?list-type=2&prefix=${encodeURIComponent(prefix)}${page}`;
      const xml = await this.#text({ method: 'GET', url: this.#address.list(search) });
      for (const entry of blocks(xml, 'Contents')) {
        if (Date.parse(element(entry, 'LastModified')) < time) yield element(entry, 'Key');
      }
      const next = elements(xml, 'NextContinuationToken')[0];
      page = next === undefined ? '' : `&continuation-token=${encodeURIComponent(next)}`;
    } while (page !== '');
  }

  async *unfinishedBefore(prefix: string, time: number): AsyncGenerator<UnfinishedUpload> {
    let page = '';
    do {
      const search = `?uploads=&prefix=${encodeURIComponent(prefix)}${page}`;
      const xml = await this.#text({ method: 'GET', url: this.#address.list(search) });
      for (const entry of blocks(xml, 'Upload')) {
        if (Date.parse(element(entry, 'Initiated')) >= time) continue;
        yield { key: element(entry, 'Key'), uploadId: element(entry, 'UploadId') };
      }
      page = elements(xml, 'IsTruncated')[0] === 'true' ? uploadMarker(xml) : '';
    } while (page !== '');
  }

  #presign(url: URL, content: SignedContent): SignedPut {
    checkContent(content);
    const { length, sha256, expiresSeconds } = content;
    const checksum = { 'x-amz-checksum-sha256': hexToBase64(sha256) };
    const headers = { 'content-length': String(length), ...checksum };
    const request = { method: 'PUT', url, headers };
    const signed = signByQuery(request, expiresSeconds, this.#client.scope, this.#client.now());
    return { url: signed, headers };
  }

  #object(key: string, search?: string): URL {
    checkObjectKey(key);
    return this.#address.object(key, search);
  }

  #upload(key: string, uploadId: string, query = ''): URL {
    checkUploadId(uploadId);
    return this.#object(key, `?${query}uploadId=${encodeURIComponent(uploadId)}`);
  }

  async #call(call: AwsCall): Promise<HttpsAnswer> {
    try {
      return await this.#client.call(call);
    } catch (cause) {
      throw toError(cause);
    }
  }

  async #text(call: AwsCall): Promise<string> {
    const answer = await this.#call(call);
    try {
      return await readText(answer);
    } catch (cause) {
      throw toError(cause);
    }
  }
}

async function* translated(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw toError(cause);
  }
}

function lengthOf({ headers }: HttpsAnswer): number {
  const text = headers['content-length'] ?? '';
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ObjectStoreError('failed', 'the object storage answered without a length');
}

function uploadMarker(xml: string): string {
  const key = encodeURIComponent(element(xml, 'NextKeyMarker'));
  return `&key-marker=${key}&upload-id-marker=${encodeURIComponent(element(xml, 'NextUploadIdMarker'))}`;
}
