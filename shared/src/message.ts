import type { ByeCode } from './bye-code.ts';
import type { Stage } from './error-code.ts';

/** Names and values in turn, in order, in the sender's case; text is Latin-1 code points (RFC 9110 §5.5). */
export type HeaderList = readonly string[];

export interface SourceInfo {
  readonly name: string;
  /** `http`, `file`, `command`; a later agent may say others. */
  readonly kind: string;
  readonly methods: readonly string[];
}

export interface Limits {
  readonly frameBytes: number;
  readonly bodyBytes: number;
  readonly headBytes: number;
  /** Pulls the relay will have in flight on this link at most. */
  readonly pulls: number;
}

export interface Hello {
  readonly action: 'hello';
  readonly version: number;
  readonly agent: string;
  readonly device: string;
  readonly instance: string;
  readonly sources: readonly SourceInfo[];
  readonly labels: Readonly<Record<string, string>>;
  /** How often the agent proves the path at present: the relay watches at the same pace, within its own bounds. */
  readonly heartbeatMs?: number;
  readonly features: readonly string[];
  /** Of an unbroken run of links: one of the same run succeeds the one before, and does not throw it out. */
  readonly run?: string;
}

export interface HeartbeatTerms {
  /** Where an agent begins. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** As rare as it may become; absent: no rarer than `intervalMs`. */
  readonly maxIntervalMs?: number;
}

export interface Welcome {
  readonly action: 'welcome';
  readonly version: number;
  readonly relay: string;
  readonly limits: Limits;
  readonly heartbeat: HeartbeatTerms;
  readonly endOfLifeMs?: number;
  readonly features: readonly string[];
}

export interface Pull {
  readonly action: 'pull';
  readonly pullId: string;
  readonly replyTo: string;
  readonly seq: 0;
  readonly source: string;
  readonly method: string;
  /** Raw, begins with `/`. */
  readonly path: string;
  /** Raw, without `?`; absent where the request had no `?`. */
  readonly query?: string;
  readonly headers: HeaderList;
  /** Budget until the reply's head. */
  readonly deadlineMs: number;
  /** Bytes of reply body that may be sent without asking. */
  readonly credit: number;
  /** The caller's name, by the relay's word. */
  readonly caller: string;
  readonly end: boolean;
  readonly body?: Uint8Array;
}

export interface Timing {
  /** From the pull's arrival at the agent to its head. */
  readonly agentMs: number;
  /** The part of it spent waiting for the source. */
  readonly upstreamMs: number;
}

export interface Head {
  readonly action: 'head';
  readonly pullId: string;
  readonly replyTo: string;
  readonly seq: 0;
  readonly status: number;
  readonly reason?: string;
  readonly headers: HeaderList;
  readonly timing?: Timing;
  readonly end: boolean;
  readonly body?: Uint8Array;
}

/** A piece of a reply's body. */
export interface ReplyBody {
  readonly action: 'body';
  readonly pullId: string;
  readonly replyTo: string;
  readonly seq: number;
  readonly end: boolean;
  readonly body: Uint8Array;
}

export interface ReplyEnd {
  readonly action: 'end';
  readonly pullId: string;
  readonly replyTo: string;
  readonly seq: number;
  readonly trailers?: HeaderList;
}

export interface Fault {
  readonly action: 'fault';
  readonly pullId: string;
  readonly replyTo: string;
  /** One of `errorCodes`, or one that only a newer agent knows. */
  readonly code: string;
  readonly stage: Stage;
  readonly detail: string;
  readonly retryAfterMs?: number;
  readonly extra?: Readonly<Record<string, string | number>>;
}

/** The relay may send the request body up to byte `limit`, counted from its start. */
export interface AgentCredit {
  readonly action: 'credit';
  readonly pullId: string;
  readonly replyTo: string;
  readonly limit: number;
}

/** A part of a reply's body is ready for object storage: answered by `put`. */
export interface Upload {
  readonly action: 'upload';
  readonly pullId: string;
  readonly replyTo: string;
  /** From 1 upwards. */
  readonly part: number;
  /** Bytes of this part. */
  readonly length: number;
  /** Of this part: 64 hexadecimal digits in lower case, as S3 wants `x-amz-content-sha256`. */
  readonly sha256: string;
  /** Whether further parts follow. */
  readonly more: boolean;
}

export interface UploadedPart {
  readonly part: number;
  /** As the storage answered it, with its quotes. */
  readonly etag: string;
}

/** All parts are in object storage: the reply is whole. */
export interface Complete {
  readonly action: 'complete';
  readonly pullId: string;
  readonly replyTo: string;
  /** All of them, in order. */
  readonly parts: readonly UploadedPart[];
  /** Bytes of the whole body. */
  readonly length: number;
  readonly trailers?: HeaderList;
}

export interface AgentDrain {
  readonly action: 'drain';
}

export interface Bye {
  readonly action: 'bye';
  /** One of `byeCodes`, or one that only a newer peer knows. */
  readonly code: ByeCode | (string & {});
  readonly reason?: string;
}

export interface KeepAlive {
  readonly action: 'keep-alive';
}

/** Feature `rotate`: the device's next key, answered by `rotated`. */
export interface OfferedKey {
  readonly action: 'rotate';
  /** `ed25519:` and base64url of the 32 bytes (RFC 8032 §5.1.5). */
  readonly publicKey: string;
  /** Made with that key: PROTOCOL.md, "Proof of a key". */
  readonly proof: string;
}

/** A piece of a request's body. */
export interface RequestBody {
  readonly action: 'body';
  readonly pullId: string;
  readonly seq: number;
  readonly end: boolean;
  readonly body: Uint8Array;
}

export interface RequestEnd {
  readonly action: 'end';
  readonly pullId: string;
  readonly seq: number;
  readonly trailers?: HeaderList;
}

/** The reply body may run up to byte `limit`, counted from its start. */
export interface RelayCredit {
  readonly action: 'credit';
  readonly pullId: string;
  readonly limit: number;
}

export const cancelReasons = ['caller-left', 'deadline', 'idle', 'relay'] as const;
export type CancelReason = (typeof cancelReasons)[number];

export interface Cancel {
  readonly action: 'cancel';
  readonly pullId: string;
  readonly reason: CancelReason;
}

/** The relay's reply channel moved: what was sent for this pull goes again, to the new `replyTo`. */
export interface Resend {
  readonly action: 'resend';
  readonly pullId: string;
  readonly replyTo: string;
  /** Frames below this number have arrived. */
  readonly have: number;
}

/** Where a part goes: answers `upload`. */
export interface Put {
  readonly action: 'put';
  readonly pullId: string;
  readonly part: number;
  /** Signed for exactly this part; a secret. */
  readonly url: string;
  /** To be sent exactly so, besides `Host` and `Content-Length`. */
  readonly headers: HeaderList;
}

export interface RelayDrain {
  readonly action: 'drain';
  readonly withinMs: number;
}

/** The operator wants another key: answered by the agent's `rotate`. */
export interface RotationWish {
  readonly action: 'rotate';
}

/** Answers an agent's `rotate`. */
export interface Rotated {
  readonly action: 'rotated';
  /** The key that was offered. */
  readonly publicKey: string;
  /** Absent: the key is noted, and takes over with the first handshake that it signs. */
  readonly refused?: RotationRefusal | (string & {});
}

/** `no-proof`: the proof is not the key's. `other-instances`: they would lose their key. `superseded`: the device has another key by now. */
export const rotationRefusals = ['no-proof', 'other-instances', 'superseded'] as const;
export type RotationRefusal = (typeof rotationRefusals)[number];

/** Feature `probe`: the relay asks a link for a sign of life, answered at once by `probed`. */
export interface Probe {
  readonly action: 'probe';
  readonly pullId: string;
  readonly replyTo: string;
}

/** Answers `probe`; its fields are those of the probe. */
export interface Probed {
  readonly action: 'probed';
  readonly pullId: string;
  readonly replyTo: string;
}

export interface KeptAlive {
  readonly action: 'kept-alive';
  /** What a gateway calls this connection. */
  readonly connectionId?: string;
}

export interface ReadingFault {
  /** As in `fault`. */
  readonly code: string;
  readonly detail: string;
}

/** What came of one time of a schedule. Device, schedule and time are its identity: it may come more than once. */
export interface ReadingEntry {
  readonly schedule: string;
  /** When it was due: epoch milliseconds, by the device's clock as the relay's corrects it. */
  readonly at: number;
  readonly source: string;
  readonly path: string;
  readonly query?: string;
  /** How long it took. */
  readonly ms: number;
  /** With `headers`, of an answer; said with the last piece. */
  readonly status?: number;
  readonly headers?: HeaderList;
  /** Where there was no answer. */
  readonly fault?: ReadingFault;
  /** Bytes of its body in this message. */
  readonly length: number;
  /** Which one of how many pieces this is, where it does not fit into one message. */
  readonly piece?: { readonly index: number; readonly of: number };
}

export interface Reading {
  readonly action: 'reading';
  /** The agent's own number, for `stored`. */
  readonly batch: number;
  /** One only where it comes in pieces. */
  readonly readings: readonly ReadingEntry[];
  /** The bodies, one after the other. */
  readonly body?: Uint8Array;
}

export interface RefusedReading extends ReadingFault {
  /** In `readings`. */
  readonly index: number;
}

/** Everything in the batch is stored, but what is refused for good. */
export interface Stored {
  readonly action: 'stored';
  readonly batch: number;
  readonly refused?: readonly RefusedReading[];
}

/** Nothing of the batch is stored, and it may come again later: the agent keeps it. */
export interface Held extends ReadingFault {
  readonly action: 'held';
  readonly batch: number;
  /** The agent sends no readings on this link before (milliseconds). */
  readonly retryAfterMs: number;
}

/** Agent → relay: everything that a relay may receive. */
export type AgentMessage =
  | Hello
  | Head
  | ReplyBody
  | ReplyEnd
  | Fault
  | AgentCredit
  | Upload
  | Complete
  | AgentDrain
  | Bye
  | KeepAlive
  | OfferedKey
  | Probed
  | Reading;

/** Relay → agent: everything that an agent may receive. */
export type RelayMessage =
  | Welcome
  | Pull
  | RequestBody
  | RequestEnd
  | RelayCredit
  | Cancel
  | Resend
  | Put
  | RelayDrain
  | Bye
  | KeptAlive
  | RotationWish
  | Rotated
  | Probe
  | Stored
  | Held;

/** The agent's messages that go to whoever waits for them by their `replyTo`: of one pull's reply, or of a probe. */
export type ReplyMessage =
  | Head
  | ReplyBody
  | ReplyEnd
  | Fault
  | AgentCredit
  | Upload
  | Complete
  | Probed;

/** A known frame of an action that this version does not know: ignored and counted. */
export interface Ignored {
  readonly action: 'ignored';
  readonly name: string;
}

/** What either side announces in `hello` or `welcome` that it can do beyond the rest (PROTOCOL.md, "Features"). */
export const features = [
  'hold',
  'keep-alive',
  'probe',
  'readings',
  'resend',
  'rotate',
  'upload',
] as const;
export type Feature = (typeof features)[number];

export const protocolVersion = 1;
export const subprotocols = ['pullwire.v1+bin', 'pullwire.v1+json'] as const;
export type Subprotocol = (typeof subprotocols)[number];
