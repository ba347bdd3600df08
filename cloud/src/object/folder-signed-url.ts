import { hash, timingSafeEqual } from 'node:crypto';
import type { Mac } from '../reply/mac.ts';
import type { ReadingHeader } from './object-store.ts';

/** What one signed URL permits. */
export type Permission = PutPermission | GetPermission;

export interface PutPermission {
  readonly method: 'PUT';
  readonly key: string;
  /** Epoch seconds. */
  readonly expires: number;
  readonly length: number;
  readonly sha256: string;
  /** Where it is a part of an upload. */
  readonly part?: { readonly uploadId: string; readonly number: number };
}

export interface GetPermission {
  readonly method: 'GET';
  readonly key: string;
  /** Epoch seconds. */
  readonly expires: number;
  readonly headers: Partial<Readonly<Record<ReadingHeader, string>>>;
}

/** One segment of a path: the permission as JSON in base64url, a dot, and an HMAC-SHA-256 over it. */
export function signPermission(mac: Mac, permission: Permission): string {
  const text = Buffer.from(JSON.stringify(permission)).toString('base64url');
  return `${text}.${macOf(mac, text).toString('base64url')}`;
}

/** Undefined where the segment is not one that this key signed, or has expired. */
export function readPermission(
  mac: Mac,
  segment: string,
  nowSeconds: number,
): Permission | undefined {
  const [text = '', signature = ''] = segment.split('.');
  // As texts: several of them stand for the same bytes (RFC 4648 §3.5), and only one is what was signed.
  const given = Buffer.from(signature);
  const expected = Buffer.from(macOf(mac, text).toString('base64url'));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  // What carries our signature is what we wrote.
  const permission = JSON.parse(Buffer.from(text, 'base64url').toString()) as Permission;
  return permission.expires > nowSeconds ? permission : undefined;
}

/** Of the text's hash, which is short whatever the text. */
function macOf(mac: Mac, text: string): Buffer {
  return mac.of(hash('sha256', text, 'buffer'));
}
