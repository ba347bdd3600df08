import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { request as requestByTls, Agent as TlsAgent } from 'node:https';
import type { SecureContext } from 'node:tls';
import type { Clock, Put } from '@pullwire/shared';
import { type Environment, openTunnel, proxyFor, type Tunnel } from '../link/proxy.ts';
import { type PartStore, PartStoreError } from './part-store.ts';
import { type PutRules, putTarget } from './put-target.ts';
import type { ReplyPart } from './reply-part.ts';
import { readStoreAnswer } from './store-answer.ts';

export interface HttpsPartStoreOptions {
  readonly rules: PutRules;
  /** As for the link: authorities, and the way through a proxy. */
  secureContext(): SecureContext;
  readonly env: Environment;
  readonly clock: Clock;
}

/** A storage that takes no byte, and gives no answer, for so long is given up. */
const stallMs = 30_000;
/** Written at once, so that what moves is seen. */
const sliceBytes = 64 * 1024;
/** Of a signed request these are the agent's own: they say what is really sent. */
const ownHeaders = new Set(['host', 'content-length']);

/** PUTs parts by HTTPS, with exactly the headers that the relay signed. Redirects are answers like any other: failures. */
export class HttpsPartStore implements PartStore {
  readonly #options: HttpsPartStoreOptions;
  /** Connections are kept for the next part, and never shared with other trust: Node's own agent would. */
  readonly #direct = new Agent({ keepAlive: true });
  readonly #directTls = new TlsAgent({ keepAlive: true });

  constructor(options: HttpsPartStoreOptions) {
    this.#options = options;
  }

  async store(put: Put, part: ReplyPart, signal: AbortSignal): Promise<string> {
    const { rules, env, clock } = this.#options;
    const url = putTarget(put.url, rules);
    const proxy = proxyFor(url, env);
    const tunnel = proxy && openTunnel(proxy, this.#options.secureContext());
    const stall = new Stall(clock);
    try {
      const abort = AbortSignal.any([signal, stall.signal]);
      const sent = this.#request(url, headersOf(put, url, part), abort, tunnel?.agent);
      return await exchange(sent, part, stall);
    } catch (error) {
      throw asStoreError(error, url.hostname, stall, tunnel);
    } finally {
      stall.end();
      tunnel?.close();
    }
  }

  /** Ends the connections that wait for a next part. */
  close(): void {
    this.#direct.destroy();
    this.#directTls.destroy();
  }

  /** `secureContext` exists (`tls.connect`), but not in the types of `https`. */
  #tls(): object {
    return { secureContext: this.#options.secureContext() };
  }

  #request(
    url: URL,
    headers: readonly string[],
    signal: AbortSignal,
    tunnel: Agent | undefined,
  ): ClientRequest {
    // Node takes a flat list too, and then adds nothing of its own; its types know only objects of headers for `https`.
    const options = { method: 'PUT', headers: headers as string[], signal };
    if (url.protocol === 'http:')
      return request(url, { ...options, agent: tunnel ?? this.#direct });
    const agent = tunnel ?? this.#directTls;
    return requestByTls(url, { ...options, agent, ...this.#tls() });
  }
}

/** Ends the exchange where nothing moves. */
class Stall {
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  #timer;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = this.#watch();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  moved(): void {
    this.#timer.cancel();
    this.#timer = this.#watch();
  }

  end(): void {
    this.#timer.cancel();
  }

  #watch() {
    return this.#clock.after(stallMs, () => this.#abort.abort());
  }
}

async function exchange(sent: ClientRequest, part: ReplyPart, stall: Stall): Promise<string> {
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  // What breaks after the answer came is no news; without a listener it would end the process.
  sent.on('error', () => {});
  try {
    // An answer can come before the last byte was sent, and the connection end then: the answer counts.
    const [answer] = await Promise.race([answered, write(sent, part, stall).then(() => answered)]);
    stall.moved();
    return await readStoreAnswer(answer);
  } finally {
    if (!sent.writableEnded) sent.destroy();
  }
}

async function write(sent: ClientRequest, part: ReplyPart, stall: Stall): Promise<void> {
  for (const piece of part.pieces) {
    for (let from = 0; from < piece.length; from += sliceBytes) {
      if (sent.destroyed) return;
      const taken = sent.write(piece.subarray(from, from + sliceBytes));
      if (!taken) await once(sent, 'drain');
      stall.moved();
    }
  }
  sent.end();
}

function headersOf(put: Put, url: URL, part: ReplyPart): readonly string[] {
  const headers = ['Host', url.host, 'Content-Length', String(part.bytes)];
  for (let i = 0; i < put.headers.length; i += 2) {
    const name = put.headers[i] as string;
    if (!ownHeaders.has(name.toLowerCase())) headers.push(name, put.headers[i + 1] as string);
  }
  return headers;
}

function asStoreError(
  error: unknown,
  host: string,
  stall: Stall,
  tunnel: Tunnel | undefined,
): PartStoreError {
  // The agent of a tunnel that was refused hands the proxy's answer on as if it were the storage's.
  const refusal = tunnel?.refusal();
  if (refusal !== undefined) {
    return new PartStoreError(`the proxy answered ${refusal} for ${host}`, true, error);
  }
  if (error instanceof PartStoreError) return error;
  if (stall.signal.aborted) {
    return new PartStoreError(`nothing moved to ${host} for ${stallMs} ms`, true, error);
  }
  const code = (error as { code?: unknown } | undefined)?.code;
  const why = typeof code === 'string' ? code : 'the connection failed';
  return new PartStoreError(`${host} cannot be reached: ${why}`, true, error);
}
