/** What is wrong with a frame: each is also the `bye` (PROTOCOL.md, "Closing"); `wrong-type` closes with 1003. */
export type WireErrorCode = 'protocol-error' | 'too-large' | 'wrong-type';

/** The one error of the wire. Its message names the field or offset and what was expected there. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Throws: `field` is not what PROTOCOL.md says. The value itself is not repeated, since it may hold a secret. */
export function refuse(field: string, expected: string): never {
  throw new WireError('protocol-error', `${field}: expected ${expected}`);
}

/** Throws: `what` is over its limit (PROTOCOL.md, "Limits"). */
export function refuseSize(what: string, size: number, limit: number): never {
  throw new WireError('too-large', `${what}: ${size} is over the limit of ${limit}`);
}

/** A short piece of a name from the wire that is safe in a log line: printable ASCII, at most 40 characters of input. */
export function excerpt(text: string): string {
  const piece = JSON.stringify(text.slice(0, 40)).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text.length > 40 ? `${piece}…` : piece;
}
