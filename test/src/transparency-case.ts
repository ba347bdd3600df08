import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Text is Latin-1: one code point a byte. `random`: so many bytes that do not repeat, the same each time. */
export type BodyData =
  | string
  | { readonly random: number }
  | {
      readonly chunks: readonly string[];
      /** One a chunk, what stands after its size. */
      readonly extensions?: readonly string[];
      readonly trailers?: readonly string[];
    };

interface HeadData {
  /** Flat: name, value, name…; the value `{repeat, times}` is for long ones. */
  readonly headers?: readonly HeaderData[];
  readonly body?: BodyData;
}

type HeaderData = string | { readonly repeat: string; readonly times: number };

export interface RequestData extends HeadData {
  readonly method?: string;
  /** Behind the source's name. */
  readonly target?: HeaderData;
  readonly version?: string;
}

export interface ReplyData extends HeadData {
  readonly status?: number;
  readonly reason?: string;
  readonly version?: string;
  /** 1xx heads before the reply. */
  readonly interim?: readonly { readonly status: string; readonly headers: readonly string[] }[];
  /** False: no `Date`. */
  readonly date?: false;
  /** The origin ends the connection after the reply. */
  readonly close?: true;
  /** The origin resets the connection in the middle of the body, which is what `body` gives. */
  readonly reset?: true;
  /** The origin answers without reading the request's body, and closes. */
  readonly early?: true;
}

/** One line of the table: what is sent, what the origin answers, and in what the relay may differ. */
export interface TransparencyCase {
  readonly name: string;
  readonly request: RequestData;
  readonly reply?: ReplyData;
  /** Ids of `differences.json`: each of these is seen, and no other one. */
  readonly differences?: readonly string[];
  /** The relay or the agent answers in the origin's place. */
  readonly refused?: { readonly status: number; readonly code: string };
}

/** One way in which a relayed exchange differs from a direct one. */
export interface AllowedDifference {
  readonly id: string;
  /** Expressions for whole lines as `differencesOf` writes them. */
  readonly lines: readonly string[];
  readonly why: string;
  /** It may be seen in every case. */
  readonly always?: true;
}

export const transparencyCases = read<TransparencyCase>('requests.json');
export const allowedDifferences = read<AllowedDifference>('differences.json');

function read<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8')) as T[];
}

/** A request's head as bytes; `first` stands before the case's own headers. */
export function requestHead(data: RequestData, prefix: string, first: readonly string[]): Buffer {
  const { method = 'GET', target = '/', version = 'HTTP/1.1', headers = [] } = data;
  return headBytes(`${method} ${prefix}${text(target)} ${version}`, [...first, ...headers]);
}

const okBody = 'ok\n';
const someDate = 'Tue, 15 Nov 1994 08:12:31 GMT';

/** A reply as bytes, with the 1xx before it. */
export function replyBytes(data: ReplyData = {}): Buffer {
  const { status = 200, reason = 'OK', version = 'HTTP/1.1', interim = [], date } = data;
  const headers = data.headers ?? ['Content-Length', String(okBody.length)];
  const body = data.headers === undefined ? okBody : data.body;
  const first = date === false ? [] : ['Date', someDate];
  return Buffer.concat([
    ...interim.map((head) => headBytes(`HTTP/1.1 ${head.status}`, head.headers)),
    headBytes(`${version} ${status} ${reason}`, [...first, ...headers]),
    bodyBytes(body),
  ]);
}

/** A body in the framing that its data says. */
export function bodyBytes(data: BodyData = ''): Buffer {
  if (typeof data === 'string') return Buffer.from(data, 'latin1');
  if ('random' in data) return randomBytes(data.random);
  const { chunks, extensions = [], trailers = [] } = data;
  const parts = chunks.map((chunk, i) => {
    const size = chunk.length.toString(16);
    return `${size}${extensions[i] ?? ''}\r\n${chunk}\r\n`;
  });
  return Buffer.from(`${parts.join('')}0\r\n${fieldLines(trailers)}\r\n`, 'latin1');
}

/** Bytes that look random and are the same each time: a chain of SHA-256. */
export function randomBytes(length: number): Buffer {
  const blocks: Buffer[] = [];
  let block: Buffer = Buffer.alloc(0);
  for (let bytes = 0; bytes < length; bytes += block.length) {
    block = createHash('sha256').update(block).digest();
    blocks.push(block);
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function headBytes(start: string, headers: readonly HeaderData[]): Buffer {
  return Buffer.from(`${start}\r\n${fieldLines(headers.map(text))}\r\n`, 'latin1');
}

function fieldLines(headers: readonly string[]): string {
  let lines = '';
  for (let i = 0; i < headers.length; i += 2) lines += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return lines;
}

function text(data: HeaderData): string {
  return typeof data === 'string' ? data : data.repeat.repeat(data.times);
}
