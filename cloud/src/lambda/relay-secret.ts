import { hkdfSync } from 'node:crypto';
import { type UploadKey, uploadKey } from '../object/upload-ticket.ts';
import { type ReplyToKey, replyToKey } from '../reply/reply-to.ts';

export interface RelayKeys {
  readonly replyTo: ReplyToKey;
  /** Signs the tokens with which reply channels dial (HMAC-SHA-256). */
  readonly channel: Uint8Array;
  /** Signs the ids of uploads. */
  readonly upload: UploadKey;
}

/** 256 bits, written in letters, digits, `-` and `_`. */
const shortest = 43;

/**
 * The keys that the functions share, derived from the one secret that they read (HKDF, RFC 5869), one a purpose.
 *
 * @throws RangeError where the secret is shorter than 43 characters; the text does not hold it.
 */
export function relayKeys(secret: string): RelayKeys {
  if (secret.length < shortest)
    throw new RangeError(`the secret has fewer than ${shortest} characters`);
  return {
    replyTo: replyToKey('1', derive(secret, 'pullwire reply-to')),
    channel: derive(secret, 'pullwire reply channel'),
    upload: uploadKey('1', derive(secret, 'pullwire upload')),
  };
}

function derive(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32));
}
