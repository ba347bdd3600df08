/** Where a bucket is. */
export interface BucketPlace {
  readonly bucket: string;
  readonly region: string;
  /** Another storage than AWS's for the region, such as `http://127.0.0.1:4566`. */
  readonly endpoint: string | undefined;
}

/** URLs of one bucket. */
export interface BucketAddress {
  /** With `search` such as `?uploads=`; the key needs no escapes (`ObjectStore`). */
  object(key: string, search?: string): URL;
  /** Of the bucket itself. */
  list(search: string): URL;
}

/**
 * By host name at AWS (Amazon S3 User Guide, "Virtual hosting of buckets"), but by path where the name has a dot, which
 * no certificate covers, and at other endpoints.
 */
export function bucketAddress({ bucket, region, endpoint }: BucketPlace): BucketAddress {
  const base = baseOf(bucket, region, endpoint);
  return {
    object: (key, search = '') => new URL(`${base}/${key}${search}`),
    list: (search) => new URL(`${base}/${search}`),
  };
}

function baseOf(bucket: string, region: string, endpoint: string | undefined): string {
  if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, '')}/${bucket}`;
  const host = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  return bucket.includes('.') ? `https://${host}/${bucket}` : `https://${bucket}.${host}`;
}
