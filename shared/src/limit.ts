import type { Subprotocol } from './message.ts';

export interface FrameLimits {
  /** Bytes of one WebSocket message. */
  readonly frameBytes: number;
  /** Bytes of body in one message. */
  readonly bodyBytes: number;
}

/** PROTOCOL.md, "Limits". JSON stays under API Gateway's 32 KB frame, which is also one billing unit. */
export const frameLimits = {
  'pullwire.v1+json': { frameBytes: 30_000, bodyBytes: 22_000 },
  'pullwire.v1+bin': { frameBytes: 98_304, bodyBytes: 65_536 },
} as const satisfies Record<Subprotocol, FrameLimits>;

export const headLimitBytes = 16_384;
export const replyToLimitBytes = 512;
export const metaLimitBytes = 30_000;
/** Of a body in object storage; S3 takes no part under 5 MiB but the last (S3 API, "Multipart upload limits"). */
export const partLimit = { count: 400, bytes: 8 * 1024 * 1024, leastBytes: 5 * 1024 * 1024 };
/** Of a `reading`: entries in a message, pieces of one. */
export const readingLimit = { entries: 256, pieces: 1_024 };
export const urlLimit = 4_096;
export const earlyFrameLimit = 64;
export const sourceLimit = 128;
export const labelLimit = 32;
export const detailLimit = 500;
export const extraLimit = { entries: 8, chars: 4_096 };

/** Bytes a header list takes in HTTP/1.1: each name + value + `: ` + CRLF. */
export function headBytes(headers: readonly string[]): number {
  let bytes = 0;
  for (let i = 0; i < headers.length; i += 1) bytes += (headers[i] as string).length + 2;
  return bytes;
}
