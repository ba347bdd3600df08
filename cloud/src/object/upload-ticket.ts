import { hash, timingSafeEqual } from 'node:crypto';
import { Mac } from '../reply/mac.ts';

/** What an upload id says. Whose it is it does not say: only its owner can have it verified. */
export interface UploadTicket {
  /** 16 random bytes in base64url: where the bytes lie. */
  readonly object: string;
  /** Bytes that were announced, and that the storage holds the sender to. */
  readonly length: number;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** Signs upload ids. Its secret signs nothing else. */
export interface UploadKey {
  /** One character or a few: says which key signed, so that keys can be changed. */
  readonly id: string;
  readonly mac: Mac;
}

/** `not-yours`: another caller's, or forged; nobody is told which. */
export type TicketRefusal = 'malformed' | 'unknown-key' | 'not-yours' | 'expired';

const version = 1;
const objectBytes = 16;
const macBytes = 16;
/** Version, expiry, length, length of the key's id. */
const headBytes = 1 + 4 + 6 + 1;

/** `secret`: from 32 to 64 random bytes. Throws `RangeError`. */
export function uploadKey(id: string, secret: Uint8Array): UploadKey {
  return { id, mac: new Mac(secret) };
}

/** Base64url of: version, expiry, length, key id, object, and a truncated HMAC-SHA-256 over all of it and the caller. */
export function mintTicket(key: UploadKey, caller: string, ticket: UploadTicket): string {
  const size = headBytes + key.id.length + objectBytes;
  const bytes = Buffer.alloc(size + macBytes);
  bytes[0] = version;
  let at = bytes.writeUInt32BE(ticket.expiresAt, 1);
  at = bytes.writeUIntBE(ticket.length, at, 6);
  at = bytes.writeUInt8(key.id.length, at);
  at += bytes.write(key.id, at, 'latin1');
  bytes.write(ticket.object, at, objectBytes, 'base64url');
  macOf(key, bytes.subarray(0, size), caller).copy(bytes, size);
  return bytes.toString('base64url');
}

/** Checks that the ticket is one of ours, this caller's, and has not expired. */
export function verifyTicket(
  keys: readonly UploadKey[],
  text: string,
  caller: string,
  nowSeconds: number,
): UploadTicket | TicketRefusal {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) return 'malformed';
  const size = bytes.length - macBytes;
  const idEnd = headBytes + (bytes[headBytes - 1] ?? 0);
  if (bytes[0] !== version || size !== idEnd + objectBytes) return 'malformed';
  const keyId = bytes.toString('latin1', headBytes, idEnd);
  const key = keys.find(({ id }) => id === keyId);
  if (key === undefined) return 'unknown-key';
  const expected = macOf(key, bytes.subarray(0, size), caller);
  if (!timingSafeEqual(expected, bytes.subarray(size))) return 'not-yours';
  const ticket = {
    object: bytes.toString('base64url', idEnd, size),
    length: bytes.readUIntBE(5, 6),
    expiresAt: bytes.readUInt32BE(1),
  };
  return ticket.expiresAt <= nowSeconds ? 'expired' : ticket;
}

/** The caller by its hash, which has one length: no two pairs of ticket and caller give the same bytes. */
function macOf({ mac }: UploadKey, signed: Uint8Array, caller: string): Buffer {
  return mac.of(Buffer.concat([signed, hash('sha256', caller, 'buffer')])).subarray(0, macBytes);
}
