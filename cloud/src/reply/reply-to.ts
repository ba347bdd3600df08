import { timingSafeEqual } from 'node:crypto';
import { Mac } from './mac.ts';

/** What a `replyTo` says: where a reply belongs, and whose it may be. No URL: endpoints come from configuration. */
export interface ReplyAddress {
  /** The process or reply channel that waits for the reply. */
  readonly host: string;
  readonly pullId: string;
  readonly device: string;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

export interface ReplyToKey {
  /** One character or a few: says which key signed, so that keys can be changed. */
  readonly id: string;
  readonly mac: Mac;
}

const macBytes = 16;
const version = 1;

/** `secret`: from 32 to 64 random bytes. Throws `RangeError`. */
export function replyToKey(id: string, secret: Uint8Array): ReplyToKey {
  return { id, mac: new Mac(secret) };
}

/** Base64url of: version, expiry, three length-prefixed texts, pull id, truncated HMAC-SHA-256 over all of it. */
export function mintReplyTo(key: ReplyToKey, address: ReplyAddress): string {
  const { host, device, pullId } = address;
  const size = 1 + 4 + 3 + key.id.length + host.length + device.length + 16 + macBytes;
  const bytes = Buffer.allocUnsafe(size);
  bytes[0] = version;
  let at = bytes.writeUInt32BE(address.expiresAt, 1);
  at = writeText(bytes, key.id, at);
  at = writeText(bytes, host, at);
  at = writeText(bytes, device, at);
  at += bytes.write(pullId, at, 16, 'base64url');
  key.mac.of(bytes.subarray(0, at)).copy(bytes, at, 0, macBytes);
  return bytes.toString('base64url');
}

export type ReplyToRefusal = 'malformed' | 'unknown-key' | 'forged' | 'expired';

/** Checks signature and expiry. The caller compares `device` with the sender's. */
export function verifyReplyTo(
  keys: readonly ReplyToKey[],
  replyTo: string,
  nowSeconds: number,
): ReplyAddress | ReplyToRefusal {
  const bytes = Buffer.from(replyTo, 'base64url');
  if (bytes.toString('base64url') !== replyTo) return 'malformed';
  const fields = readFields(bytes);
  if (fields === undefined) return 'malformed';
  const key = keys.find((candidate) => candidate.id === fields.keyId);
  if (key === undefined) return 'unknown-key';
  const signed = bytes.subarray(0, bytes.length - macBytes);
  const given = bytes.subarray(bytes.length - macBytes);
  if (!timingSafeEqual(key.mac.of(signed).subarray(0, macBytes), given)) return 'forged';
  return fields.address.expiresAt <= nowSeconds ? 'expired' : fields.address;
}

function writeText(bytes: Buffer, text: string, at: number): number {
  bytes[at] = text.length;
  return at + 1 + bytes.write(text, at + 1, 'latin1');
}

function readFields(bytes: Buffer): { keyId: string; address: ReplyAddress } | undefined {
  if (bytes.length < 5 || bytes[0] !== version) return undefined;
  const texts: string[] = [];
  let at = 5;
  for (let i = 0; i < 3; i += 1) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    texts.push(bytes.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  if (bytes.length !== at + 16 + macBytes) return undefined;
  const [keyId, host, device] = texts as [string, string, string];
  const pullId = bytes.toString('base64url', at, at + 16);
  return { keyId, address: { host, device, pullId, expiresAt: bytes.readUInt32BE(1) } };
}
