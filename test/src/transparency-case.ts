import { readFileSync } from 'node:fs';
import { largeBytes } from './large-file.ts';

/** Text is Latin-1: one code point a byte. Several pieces stand one behind the other. */
export type TextData =
  | string
  | readonly (string | { readonly repeat: string; readonly times: number })[];

/** Field lines without their CRLF; `numbered`: so many lines, `X-0: 0`, `X-1: 1`… */
export type HeadersData = readonly (
  | TextData
  | { readonly numbered: string; readonly times: number }
)[];

/** `random`: so many bytes that do not repeat, the same each time. */
export type BodyData =
  | string
  | { readonly random: number }
  | {
      readonly chunks: readonly string[];
      /** One a chunk, what stands after its size. */
      readonly extensions?: readonly string[];
      readonly trailers?: HeadersData;
    };

/** What is left out is `GET / HTTP/1.1` without headers and body. */
export interface RequestData {
  readonly method?: string;
  /** Behind the source's name. */
  readonly target?: TextData;
  readonly version?: string;
  readonly headers?: HeadersData;
  readonly body?: BodyData;
}

/** What is left out is a 200 with a `Date` and a small body. */
export interface ReplyData {
  readonly status?: number;
  readonly reason?: string;
  readonly version?: string;
  readonly headers?: HeadersData;
  readonly body?: BodyData;
  /** 1xx heads before the reply. */
  readonly interim?: readonly { readonly status: string; readonly headers: HeadersData }[];
  /** False: no `Date`. */
  readonly date?: false;
  /** The origin ends the connection after the reply. */
  readonly close?: true;
  /** The origin resets the connection after the reply. */
  readonly reset?: true;
  /** The origin answers without reading the request's body, and ends the connection. */
  readonly early?: true;
}

/** One line of the table: what is sent, what the origin answers, and in what the relay may differ. */
export interface TransparencyCase {
  readonly name: string;
  readonly request: RequestData;
  readonly reply?: ReplyData;
  /** Ids of `differences.json`: each of them is seen. */
  readonly differences?: readonly string[];
  /** The relay or the agent answers; the origin was asked only where there is a `reply`. */
  readonly refused?: { readonly status: number; readonly code: string };
}

/** One way in which a relayed exchange differs from a direct one. */
export interface AllowedDifference {
  readonly id: string;
  /** Expressions for whole lines as `differencesOf` writes them. */
  readonly lines: readonly string[];
  readonly why: string;
  /** It may be seen in every case, and is not named there. */
  readonly always?: true;
}

export const transparencyCases = read<TransparencyCase>('requests.json');
export const allowedDifferences = read<AllowedDifference>('differences.json');

function read<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8')) as T[];
}

/** A request's head as bytes; `prefix` stands before the case's target, `first` before its headers. */
export function requestHead(data: RequestData, prefix: string, first: HeadersData): Buffer {
  const { method = 'GET', target = '/', version = 'HTTP/1.1', headers = [] } = data;
  return headBytes(`${method} ${prefix}${text(target)} ${version}`, [...first, ...headers]);
}

const date = 'Date: Tue, 15 Nov 1994 08:12:31 GMT';

/** The 1xx before a reply as bytes. */
export function interimBytes({ interim = [] }: ReplyData): Buffer {
  return Buffer.concat(
    interim.map(({ status, headers }) => headBytes(`HTTP/1.1 ${status}`, headers)),
  );
}

/** A reply as bytes. */
export function replyBytes(data: ReplyData): Buffer {
  const { status = 200, reason = 'OK', version = 'HTTP/1.1' } = data;
  const isDefault = data.headers === undefined;
  const headers = isDefault ? ['Content-Length: 3'] : (data.headers ?? []);
  return Buffer.concat([
    headBytes(`${version} ${status} ${reason}`, data.date === false ? headers : [date, ...headers]),
    bodyBytes(isDefault ? 'ok\n' : data.body),
  ]);
}

/** A body in the framing that its data says. */
export function bodyBytes(data: BodyData = ''): Buffer {
  if (typeof data === 'string') return Buffer.from(data, 'latin1');
  if ('random' in data) return Buffer.concat([...largeBytes(data.random)]);
  const { chunks, extensions = [], trailers = [] } = data;
  const parts = chunks.map((chunk, i) => {
    const size = chunk.length.toString(16);
    return `${size}${extensions[i] ?? ''}\r\n${chunk}\r\n`;
  });
  return Buffer.from(`${parts.join('')}0\r\n${fieldLines(trailers)}\r\n`, 'latin1');
}

function headBytes(start: string, headers: HeadersData): Buffer {
  return Buffer.from(`${start}\r\n${fieldLines(headers)}\r\n`, 'latin1');
}

function fieldLines(headers: HeadersData): string {
  return headers.map((line) => `${fieldLine(line)}\r\n`).join('');
}

function fieldLine(line: HeadersData[number]): string {
  if (typeof line === 'string' || !('numbered' in line)) return text(line);
  const { numbered, times } = line;
  return Array.from({ length: times }, (_, i) => `${numbered}${i}: ${i}`).join('\r\n');
}

function text(data: TextData): string {
  if (typeof data === 'string') return data;
  return data
    .map((piece) => (typeof piece === 'string' ? piece : piece.repeat.repeat(piece.times)))
    .join('');
}
