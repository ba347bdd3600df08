import { type IncomingMessage, request } from 'node:http';
import { request as requestByTls } from 'node:https';
import type { SecureContext } from 'node:tls';
import { type Clock, devicePattern } from '@pullwire/shared';
import { explainOutsideDates, isOutsideDates } from '../link/certificate-dates.ts';
import { type Environment, openTunnel, proxyFor, type Tunnel } from '../link/proxy.ts';
import { retryAfterOf } from '../link/refusal.ts';
import { cleanRemark } from '../link/remark.ts';
import { EnrolError } from './enrol-error.ts';

/** What a device sends (PROTOCOL.md, "Enrolment"). */
export interface EnrolBody {
  /** A secret. */
  readonly code: string;
  readonly publicKey: string;
  readonly proof: string;
  readonly device?: string;
}

export interface EnrolWay {
  readonly url: URL;
  readonly secureContext: SecureContext;
  readonly env: Environment;
  readonly clock: Clock;
  /** Ends the asking. */
  readonly signal?: AbortSignal | undefined;
}

/** What the relay answered; `linkUrl` is unchecked. */
export interface EnrolAnswer {
  readonly device: string;
  readonly linkUrl: unknown;
}

const timeLimitMs = 30_000;
const answerBytes = 64 * 1024;

/**
 * Asks the relay once. No redirect is followed: it would take the code elsewhere.
 *
 * @throws EnrolError, whose text says what happened, where, and what to do.
 */
export async function postEnrolment(body: EnrolBody, way: EnrolWay): Promise<EnrolAnswer> {
  const { url, env, secureContext } = way;
  const proxy = proxyFor(url, env);
  const tunnel = proxy && openTunnel(proxy, secureContext);
  try {
    const { response, text } = await exchange(body, way, tunnel);
    return readAnswer(response, text, way);
  } catch (error) {
    if (error instanceof EnrolError) throw error;
    throw await explain(error, way, tunnel);
  } finally {
    tunnel?.close();
  }
}

interface Answered {
  readonly response: IncomingMessage;
  readonly text: string;
}

function exchange(body: EnrolBody, way: EnrolWay, tunnel: Tunnel | undefined): Promise<Answered> {
  const { url, secureContext, signal } = way;
  const late = AbortSignal.timeout(timeLimitMs);
  const bytes = Buffer.from(JSON.stringify(body));
  const options = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Content-Length': bytes.length },
    agent: tunnel?.agent ?? false,
    signal: signal === undefined ? late : AbortSignal.any([late, signal]),
  };
  return new Promise((resolve, reject) => {
    // `secureContext` exists (`tls.connect`), but not in the types of `https`.
    const sent =
      url.protocol === 'http:'
        ? request(url, options)
        : requestByTls(url, { ...options, secureContext } as object);
    sent.on('error', reject);
    sent.on('response', (response) => {
      readText(response, url.host).then((text) => resolve({ response, text }), reject);
    });
    sent.end(bytes);
  });
}

async function readText(response: IncomingMessage, host: string): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > answerBytes) {
      throw new EnrolError(
        `${host} answered with more than ${answerBytes} bytes, and not as a relay does: is this the relay's address, and nothing else in between?`,
        { isFinal: false },
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function readAnswer(response: IncomingMessage, text: string, way: EnrolWay): EnrolAnswer {
  const { url } = way;
  const status = response.statusCode ?? 0;
  const fields = parseObject(text);
  if (response.headers['pullwire-answered-by'] !== 'relay') {
    throw new EnrolError(
      `${url.host} answered ${status}, and not as a relay does: is this the relay's address, and nothing else in between?`,
      { isFinal: false },
    );
  }
  if (status !== 201) throw refusal(response, fields, way);
  const { device, linkUrl } = fields;
  if (typeof device !== 'string' || !devicePattern.test(device)) {
    throw new EnrolError(`${url.host}: the answer names no device`, { isFinal: false });
  }
  return { device, linkUrl };
}

type Fields = Readonly<Record<string, unknown>>;

function parseObject(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}

const nothingListens = ' (nothing listens there: does the relay run, and is this its address?)';

/** What to do about each refusal; everything else may pass by itself. */
const cures: Readonly<Record<number, string>> = {
  401: 'the code is wrong, spent or expired, or is for another device. Ask the operator for a new one: pullwire-relay enroll-code',
  409: 'the relay knows this device already, with another key. Choose another id, or ask for a code made with --replace',
};

function refusal(response: IncomingMessage, fields: Fields, { url, clock }: EnrolWay): EnrolError {
  const status = response.statusCode ?? 0;
  const isFinal = status >= 400 && status < 500 && status !== 429 && status !== 408;
  const detail = cleanRemark(typeof fields['detail'] === 'string' ? fields['detail'] : undefined);
  const said = cures[status] ?? detail ?? 'it gave no reason';
  const retryAfterMs = retryAfterOf(response, clock);
  return new EnrolError(`${url.host} answered ${status}: ${said}`, { isFinal, retryAfterMs });
}

async function explain(
  error: unknown,
  { url, secureContext, clock }: EnrolWay,
  tunnel: Tunnel | undefined,
): Promise<EnrolError> {
  const refused = tunnel?.refusal();
  const init = { isFinal: false, cause: error };
  if (refused !== undefined) {
    return new EnrolError(`the proxy answered ${refused} for ${url.host}`, init);
  }
  if (isOutsideDates(error)) {
    const way = { url, secureContext, tunnel: tunnel?.again(), clock };
    return new EnrolError(await explainOutsideDates(error, way), init);
  }
  const { code, message, name } = error as NodeJS.ErrnoException;
  const why = name === 'TimeoutError' ? `no answer within ${timeLimitMs} ms` : message || code;
  const hint = code === 'ECONNREFUSED' ? nothingListens : '';
  return new EnrolError(`${url.host} cannot be reached: ${why}${hint}`, init);
}
