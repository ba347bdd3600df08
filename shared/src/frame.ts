/** What is sent: a text message, or the parts of one binary message (the head, or head and body). */
export type Frame = string | readonly Uint8Array[];

/** What a socket received: text, one buffer, or the fragments of one binary message. */
export type Incoming = string | Uint8Array | readonly Uint8Array[];
