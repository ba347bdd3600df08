import { type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { SignedPut } from '../src/object/object-store.ts';

/** For tests: what an agent or a caller does with a signed URL. */
export interface SignedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export function put(signed: SignedPut, bytes: Uint8Array): Promise<SignedAnswer> {
  return send('PUT', signed.url, signed.headers, bytes);
}

export async function send(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  bytes?: Uint8Array,
): Promise<SignedAnswer> {
  const open = url.startsWith('https:') ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = open(url, { method, headers: { ...headers } }, (response) => {
      const { statusCode: status = 0, headers: answered } = response;
      readAll(response).then((body) => resolve({ status, headers: answered, body }), reject);
    });
    request.on('error', reject);
    request.end(bytes);
  });
}

export async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await collect(body));
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
