import { isUtf8 } from 'node:buffer';

/** What of a piece has to be known to tell whether a body of several is UTF-8, without reading them again. */
export interface TextEdges {
  /** Whether everything between its two edges is UTF-8. */
  readonly isText: boolean;
  /** Bytes at its beginning that belong to a character of the piece before: at most 3, in hexadecimal. */
  readonly begin: string;
  /** Bytes at its end that need the next piece: at most 3, in hexadecimal. */
  readonly end: string;
}

export function textEdges(piece: Uint8Array): TextEdges {
  let from = 0;
  while (from < 3 && from < piece.length && isContinuation(piece[from] as number)) from += 1;
  const to = piece.length - openBytes(piece.subarray(from));
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return {
    isText: isUtf8(piece.subarray(from, to)),
    begin: hex(piece.subarray(0, from)),
    end: hex(piece.subarray(to)),
  };
}

/** Whether pieces with these edges, in their order, are UTF-8 together. */
export function joinsToText(pieces: readonly TextEdges[]): boolean {
  const seams = [...pieces.map(({ begin }) => begin), ''].map(
    (begin, at) => (pieces[at - 1]?.end ?? '') + begin,
  );
  return (
    pieces.every(({ isText }) => isText) && seams.every((seam) => isUtf8(Buffer.from(seam, 'hex')))
  );
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** How many bytes at the end begin a character that is not complete (RFC 3629 §3); 0 where none does. */
function openBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if (isContinuation(byte)) continue;
    return characterBytes(byte) > back ? back : 0;
  }
  return 0;
}

function characterBytes(lead: number): number {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}
