import type { IncomingMessage } from 'node:http';

/** The whole body, or undefined where it is over `limit` bytes: the rest is then read and dropped. Rejects where the caller leaves. */
export async function readBody(
  request: IncomingMessage,
  limit: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes <= limit) chunks.push(chunk as Buffer);
  }
  return bytes > limit ? undefined : Buffer.concat(chunks);
}
