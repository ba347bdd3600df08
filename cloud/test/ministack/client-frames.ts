/**
 * Takes the mask off what a client says over a WebSocket (RFC 6455 §5.2 and §5.3), so that it can be read on the way:
 * payloads of frames, in the order of the bytes, whatever the pieces that these come in.
 */
export class ClientFrames {
  readonly #told: (payload: Buffer) => void;
  #rest = Buffer.alloc(0);

  constructor(told: (payload: Buffer) => void) {
    this.#told = told;
  }

  pass(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (let frame = readFrame(this.#rest); frame !== undefined; frame = readFrame(this.#rest)) {
      this.#rest = this.#rest.subarray(frame.length);
      this.#told(frame.payload);
    }
  }
}

/** The first frame; undefined where some of it is still to come. */
function readFrame(bytes: Buffer): { length: number; payload: Buffer } | undefined {
  const short = (bytes[1] ?? 0) & 0x7f;
  const maskAt = 2 + (short === 127 ? 8 : short === 126 ? 2 : 0);
  const from = maskAt + 4;
  if (bytes.length < from) return undefined;
  const size =
    short === 127
      ? Number(bytes.readBigUInt64BE(2))
      : short === 126
        ? bytes.readUInt16BE(2)
        : short;
  if (bytes.length < from + size) return undefined;
  const payload = Buffer.from(bytes.subarray(from, from + size));
  for (let at = 0; at < size; at += 1) {
    payload[at] = (payload[at] as number) ^ (bytes[maskAt + (at % 4)] as number);
  }
  return { length: from + size, payload };
}
