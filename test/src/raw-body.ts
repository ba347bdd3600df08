import { createHash } from 'node:crypto';
import type { RawBytes } from './raw-bytes.ts';

/** How a message says where its body ends (RFC 9112 §6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

export interface Chunk {
  readonly size: number;
  /** What stands after the size, from `;` on. */
  readonly extension: string;
}

/** A body as text of its bytes; `sha256` in hex. */
export interface CollectedBody {
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** The body of a message, piece by piece as it comes. */
export class RawBody {
  readonly framing: Framing;
  /** Declared length; 0 unless `framing` is `length`. */
  readonly length: number;
  /** Each chunk that has begun; the last one is not among them. */
  readonly chunks: Chunk[] = [];
  readonly trailers: string[] = [];
  /** How it ended; `short`: the connection ended in an orderly way, but too soon. */
  end: 'complete' | 'short' | 'reset' | undefined;
  readonly #bytes: RawBytes;
  #left: number;

  constructor(bytes: RawBytes, framing: Framing, length: number) {
    this.#bytes = bytes;
    this.framing = framing;
    this.length = length;
    this.#left = length;
    if (framing === 'none') this.end = 'complete';
  }

  /** The next bytes, as soon as there are some; undefined at the end: `end` says which. */
  async piece(): Promise<Buffer | undefined> {
    if (this.end !== undefined) return undefined;
    if (this.#left === 0 && this.framing === 'chunked' && !(await this.#nextChunk()))
      return undefined;
    if (this.#left === 0 && this.framing === 'length') return this.#finish('complete');
    const most = this.framing === 'close' ? Number.POSITIVE_INFINITY : this.#left;
    const piece = await this.#bytes.upTo(most);
    if (piece === undefined) return this.#broken();
    this.#left -= piece.length;
    return piece;
  }

  /** All of it that comes. */
  async collect(): Promise<CollectedBody> {
    const pieces: Buffer[] = [];
    const sha256 = await this.hash((piece) => pieces.push(piece));
    return { bytes: Buffer.concat(pieces), sha256 };
  }

  /** SHA-256 in hex of all that comes, whatever its size. */
  async hash(told: (piece: Buffer) => void = () => undefined): Promise<string> {
    const hash = createHash('sha256');
    for (;;) {
      const piece = await this.piece();
      if (piece === undefined) return hash.digest('hex');
      hash.update(piece);
      told(piece);
    }
  }

  async #nextChunk(): Promise<boolean> {
    if (this.chunks.length > 0) await this.#bytes.line(); // the CRLF after the last chunk's data
    const line = await this.#bytes.line();
    if (line === undefined) return this.#broken() ?? false;
    const [, size, extension] = /^([0-9A-Fa-f]+)(.*)$/.exec(line) ?? [];
    if (size === undefined || extension === undefined)
      throw new Error(`not a chunk's head: ${line}`);
    this.#left = Number.parseInt(size, 16);
    if (this.#left > 0) {
      this.chunks.push({ size: this.#left, extension });
      return true;
    }
    const trailers = await readFields(this.#bytes);
    if (trailers === undefined) return this.#broken() ?? false;
    this.trailers.push(...trailers);
    this.end = 'complete';
    return false;
  }

  #broken(): undefined {
    const { ended } = this.#bytes;
    if (ended === 'reset') return this.#finish('reset');
    return this.#finish(this.framing === 'close' ? 'complete' : 'short');
  }

  #finish(end: NonNullable<RawBody['end']>): undefined {
    this.end = end;
    return undefined;
  }
}

/** Field lines up to the empty line, as a flat list: name, value, name… undefined where the connection ends before. */
export async function readFields(bytes: RawBytes): Promise<string[] | undefined> {
  const fields: string[] = [];
  for (;;) {
    const line = await bytes.line();
    if (line === undefined) return undefined;
    if (line === '') return fields;
    const colon = line.indexOf(':');
    if (colon === -1) throw new Error(`not a field line: ${line}`);
    fields.push(line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, ''));
  }
}
