import { createHash } from 'node:crypto';

/** What `POST /uploads` answered. */
export interface PlacedUpload {
  readonly upload: string;
  readonly put: { readonly url: string; readonly headers: Record<string, string> };
  readonly expiresAt: string;
}

export const sha256Of = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** `POST /uploads` for these bytes; the answer as it came. */
export function askForUpload(url: string, key: string, bytes: Uint8Array): Promise<Response> {
  return fetch(`${url}/uploads`, {
    method: 'POST',
    headers: { 'Pullwire-Key': key },
    body: JSON.stringify({ length: bytes.length, sha256: sha256Of(bytes) }),
  });
}

/** Puts the bytes where `POST /uploads` said; resolves with the id for the pull. */
export async function upload(url: string, key: string, bytes: Uint8Array): Promise<string> {
  const answer = await askForUpload(url, key, bytes);
  if (answer.status !== 201) throw new Error(`answered ${answer.status}: ${await answer.text()}`);
  const placed = (await answer.json()) as PlacedUpload;
  const { url: place, headers } = placed.put;
  const stored = await fetch(place, { method: 'PUT', headers, body: Uint8Array.from(bytes) });
  if (stored.status !== 200) throw new Error(`the storage answered ${stored.status}`);
  return placed.upload;
}
