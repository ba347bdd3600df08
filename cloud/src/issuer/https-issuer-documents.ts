import type { Clock } from '@pullwire/shared';
import type { IssuerConfig } from '../config/issuer-config.ts';
import { isIssuerScheme } from '../config/issuer-scheme.ts';

/** Milliseconds for one document, connecting included. */
const wholeMs = 5_000;
/** A few keys have a few KB. */
const documentBytes = 256 * 1_024;

export interface HttpsIssuerDocumentsOptions {
  readonly config: Pick<IssuerConfig, 'issuer' | 'jwksUri'>;
  readonly clock: Clock;
}

/**
 * What an issuer publishes about itself. By https only, by http only where it is this machine; redirects are not
 * followed, and an answer has 5 s and 256 KB.
 */
export class HttpsIssuerDocuments {
  readonly #options: HttpsIssuerDocumentsOptions;

  constructor(options: HttpsIssuerDocumentsOptions) {
    this.#options = options;
  }

  /** Its keys, as it says them. Rejects where they cannot be had. */
  async keys(): Promise<unknown> {
    return this.#get(this.#options.config.jwksUri ?? (await this.#discover()));
  }

  /** OpenID Connect Discovery 1.0 §4: the document must name this very issuer, or another one's keys would count. */
  async #discover(): Promise<string> {
    const { issuer } = this.#options.config;
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const document = await this.#get(url);
    const { issuer: named, jwks_uri: keys } = toObject(document);
    if (named !== issuer) throw new Error(`${url} is the document of another issuer`);
    if (typeof keys !== 'string') throw new Error(`${url} does not say where the keys are`);
    return keys;
  }

  async #get(address: string): Promise<unknown> {
    const url = safeUrl(address);
    const abort = new AbortController();
    const timer = this.#options.clock.after(wholeMs, () =>
      abort.abort(new Error(`${url} did not answer within ${wholeMs} ms`)),
    );
    try {
      const response = await fetch(url, {
        headers: { accept: 'application/json, application/jwk-set+json' },
        redirect: 'manual',
        signal: abort.signal,
      });
      const body = await bounded(response);
      if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
      return JSON.parse(body);
    } finally {
      timer.cancel();
      abort.abort(); // of an answer that is not wanted whole, the rest
    }
  }
}

function safeUrl(address: string): URL {
  const url = URL.parse(address);
  if (url !== null && isIssuerScheme(url)) return url;
  throw new Error('an issuer is asked by https only (by http only on this machine)');
}

async function bounded(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > documentBytes) throw new Error(`${response.url} answered with too much`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
