import type { AgentMessage, Fault, Head, ReplyBody, ReplyEnd } from '@pullwire/shared';
import type { PullLink } from '../pull/pull-link.ts';
import type { SpoolEntry } from '../spool/spool-reading.ts';

/** What came of a pull. */
export interface Collected {
  readonly outcome: Pick<SpoolEntry, 'status' | 'headers' | 'fault'>;
  readonly body: Uint8Array;
}

const nothing = new Uint8Array();
const detailChars = 500;

/** The link of one scheduled pull: its reply is kept in memory in place of going to a relay. */
export class ScheduleLink implements PullLink {
  readonly subprotocol = 'pullwire.v1+bin';
  readonly limits = { frameBytes: 1_048_576, bodyBytes: 1_048_576 };
  readonly features = { resend: false, upload: false };
  readonly done: Promise<Collected>;
  readonly #maxBytes: number;
  readonly #tooLarge: () => void;
  readonly #settle: (collected: Collected) => void;
  #head: Head | undefined;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #isOver = false;

  /** `tooLarge`: the body is larger than `maxBytes`, and nothing more of it is wanted. */
  constructor(maxBytes: number, tooLarge: () => void) {
    const { promise, resolve } = Promise.withResolvers<Collected>();
    this.done = promise;
    this.#settle = resolve;
    this.#maxBytes = maxBytes;
    this.#tooLarge = tooLarge;
  }

  bodyRoom(): number {
    return this.limits.bodyBytes;
  }

  control(message: AgentMessage): void {
    if (message.action === 'fault') this.fault(message.code, message.detail);
  }

  data(_pullId: string, message: Head | ReplyBody | ReplyEnd): boolean {
    if (message.action === 'head') this.#head = message;
    if ('body' in message) this.#take(message.body);
    if (message.action === 'end' || message.end) this.#answered();
    return true;
  }

  forget(): void {
    this.#pieces = [];
  }

  /** Ends it with a fault in place of an answer, unless it has ended. */
  fault(code: Fault['code'], detail: string): void {
    const fault = { code, detail: detail.slice(0, detailChars) };
    this.#end({ outcome: { fault }, body: nothing });
  }

  #take(piece: Uint8Array): void {
    if (this.#isOver) return;
    this.#bytes += piece.length;
    this.#pieces.push(piece);
    if (this.#bytes <= this.#maxBytes) return;
    this.fault('reply-too-large', `the reply is larger than ${this.#maxBytes} bytes (maxBytes)`);
    this.#tooLarge();
  }

  #answered(): void {
    if (this.#head === undefined) return;
    const { status, headers } = this.#head;
    this.#end({ outcome: { status, headers }, body: Buffer.concat(this.#pieces) });
  }

  #end(collected: Collected): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pieces = [];
    this.#settle(collected);
  }
}
