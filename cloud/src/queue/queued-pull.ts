import type { ErrorCode, HeaderList, Stage } from '@pullwire/shared';
import type { AnsweredBy } from '../http/problem.ts';

/**
 * What became of a queued pull so far. `queued`: it waits for its device. `sent`: its frame may be on its way, or its
 * reply. The others are ends: `unknown` is a pull that was sent and whose answer nobody will see.
 */
export const queuedStates = [
  'queued',
  'sent',
  'done',
  'failed',
  'unknown',
  'expired',
  'refused',
  'cancelled',
] as const;
export type QueuedState = (typeof queuedStates)[number];

/** Where a queued pull is kept. */
export interface PullRef {
  readonly device: string;
  /** 16 bytes in base64url: the time of queuing in milliseconds (6 bytes), and 10 random ones. */
  readonly id: string;
}

/** A request that waits for its device, or what is left of one that ended. Times are milliseconds since the epoch. */
export interface QueuedPull extends PullRef {
  /** Id of the caller who queued it: nobody else may know of it. */
  readonly owner: string;
  /** For people. */
  readonly caller: string;
  /** SHA-256 of the caller's key, by which its grants are read again; absent for a caller with an issuer's token. */
  readonly keyHash?: string;
  readonly source: string;
  readonly method: string;
  /** Raw, begins with `/`. */
  readonly path: string;
  readonly query?: string;
  /** Empty once it has ended. */
  readonly headers: HeaderList;
  /** Empty once it has ended, and where it lies beside the table. */
  readonly body: Uint8Array;
  /** Bytes of its body, where that lies beside the table; gone once it has ended. */
  readonly besideBytes?: number;
  readonly queuedAt: number;
  /** From then on it is not sent any more. */
  readonly deadlineAt: number;
  /** Milliseconds that a reply may take once it was sent. */
  readonly answerMs: number;
  /** Milliseconds that it is kept after its end. */
  readonly keepMs: number;
  /** It is forgotten from then on. */
  readonly keptUntil: number;
  readonly state: QueuedState;
  /** How often it was sent: more than once only with a safe method. */
  readonly sends: number;
  readonly sending?: Sending;
  readonly end?: PullEnd;
}

/** One time that a pull was sent. */
export interface Sending {
  /** The pull id on the wire: each sending has its own, so that no reply can be taken for another's. */
  readonly sentAs: string;
  readonly sentAt: number;
  /** Nothing is expected any more from then on. */
  readonly answerBy: number;
  readonly connectionId: string;
  /** Bytes of its body beside the table that some process has undertaken to send. */
  readonly bodySent?: number;
}

/** How a pull ended. */
export interface PullEnd {
  readonly state: Exclude<QueuedState, 'queued' | 'sent'>;
  readonly endedAt: number;
  /** Of the reply, where it is `done`. */
  readonly reply?: EndedReply;
  /** Why it is not `done`. */
  readonly fault?: QueuedFault;
}

/** What is said of a reply that is whole. */
export interface EndedReply {
  readonly status: number;
  /** Of its body. */
  readonly bytes: number;
  /** Its body lies beside the table. */
  readonly beside?: true;
}

/** A fault as it is kept. */
export interface QueuedFault {
  readonly code: ErrorCode;
  readonly stage: Stage;
  readonly detail: string;
  readonly answeredBy: Exclude<AnsweredBy, 'upstream'>;
  readonly extra?: Readonly<Record<string, string | number>>;
}

/** What must still hold for a pull to end: it waits, or it is out under this wire id. */
export type PullStands = 'queued' | { readonly sentAs: string };
