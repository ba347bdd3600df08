import {
  type AgentCredit,
  type AgentMessage,
  type Complete,
  type Fault,
  type FrameLimits,
  type Head,
  headBytes,
  type Pull,
  type ReplyBody,
  type ReplyEnd,
  type Subprotocol,
  WireError,
} from '@pullwire/shared';
import type { LinkFeatures, PullLink } from '../pull/pull-link.ts';

type ReplyFrame = Head | ReplyBody | ReplyEnd;

export interface KeptReplyHooks {
  /** It holds this many bytes more, or fewer. */
  grown(reply: KeptReply, bytes: number): void;
}

/** What a frame costs besides its body and headers. */
const frameBytes = 256;

/**
 * The way back of one pull to a relay whose reply channel may move: keeps what was sent, and sends it again to where the
 * relay wants it now (PROTOCOL.md, "Features", `resend`).
 */
export class KeptReply implements PullLink {
  readonly subprotocol: Subprotocol;
  readonly features: LinkFeatures;
  readonly pullId: string;
  readonly link: PullLink;
  readonly #hooks: KeptReplyHooks;
  readonly #credit: number;
  #replyTo: string | undefined;
  #frames: ReplyFrame[] = [];
  #bodyBytes = 0;
  #heldBytes = 0;
  /** The number of the next frame. */
  #next = 0;
  #granted: AgentCredit | undefined;
  #last: Fault | Complete | undefined;
  #muted = false;

  constructor(link: PullLink, pull: Pull, hooks: KeptReplyHooks) {
    this.link = link;
    this.subprotocol = link.subprotocol;
    this.features = link.features;
    this.pullId = pull.pullId;
    this.#credit = pull.credit;
    this.#hooks = hooks;
  }

  get limits(): FrameLimits {
    return this.link.limits;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  bodyRoom(head: Head): number {
    return this.link.bodyRoom(head);
  }

  control(message: AgentMessage): void {
    if (!this.#muted) this.link.control(this.#addressed(message));
    if (message.action === 'credit') this.#granted = message;
    if (message.action === 'fault' || message.action === 'complete') this.#last = message;
    // A fault ends the pull wherever the frames before it are.
    if (message.action === 'fault') this.drop();
  }

  data(pullId: string, message: ReplyFrame, bytes: number): boolean {
    const room = this.#muted || this.link.data(pullId, this.#addressed(message), bytes);
    this.#keep(message);
    return room;
  }

  forget(pullId: string): void {
    this.link.forget(pullId);
  }

  /** Keeps what comes, and sends nothing, until `resend`. */
  mute(): void {
    this.#muted = true;
  }

  /** Sends again from frame `have` on, and what follows too, to `replyTo`. False where that cannot be done any more. */
  resend(replyTo: string, have: number): boolean {
    this.#replyTo = replyTo;
    this.#muted = false;
    const first = this.#frames[0]?.seq ?? this.#next;
    if (have < first && this.#last?.action !== 'fault') return false;
    this.link.forget(this.pullId);
    try {
      this.#sendAgain(have);
    } catch (error) {
      if (error instanceof WireError) return false; // with a longer `replyTo` a full frame is too large
      throw error;
    }
    return true;
  }

  /** Frees the frames; what was sent is not sent again. */
  drop(): void {
    const bytes = this.#heldBytes;
    this.#frames = [];
    this.#bodyBytes = 0;
    this.#heldBytes = 0;
    this.#hooks.grown(this, -bytes);
  }

  #sendAgain(have: number): void {
    for (const frame of this.#frames) {
      if (frame.seq >= have) this.link.data(this.pullId, this.#addressed(frame), sizeOf(frame));
    }
    for (const message of [this.#granted, this.#last]) {
      if (message !== undefined) this.link.control(this.#addressed(message));
    }
  }

  #addressed<M extends AgentMessage>(message: M): M {
    if (this.#replyTo === undefined || !('replyTo' in message)) return message;
    return { ...message, replyTo: this.#replyTo };
  }

  /** The relay grants no more than `credit` beyond what it has: older frames have arrived. */
  #keep(message: ReplyFrame): void {
    const frame = ownBody(message);
    this.#frames.push(frame);
    this.#next = frame.seq + 1;
    this.#bodyBytes += bodyBytes(frame);
    let grown = sizeOf(frame);
    for (;;) {
      const first = this.#frames[0];
      if (first === undefined || this.#bodyBytes - bodyBytes(first) <= this.#credit) break;
      this.#frames.shift();
      this.#bodyBytes -= bodyBytes(first);
      grown -= sizeOf(first);
    }
    this.#heldBytes += grown;
    this.#hooks.grown(this, grown);
  }
}

/** The answer to a `resend` that cannot be done. */
export function framesGone(pullId: string, replyTo: string): Fault {
  const detail = 'the relay wants frames of the reply again that the agent does not keep any more';
  return { action: 'fault', pullId, replyTo, code: 'agent-error', stage: 'stream', detail };
}

function bodyBytes(frame: ReplyFrame): number {
  return frame.action === 'end' ? 0 : (frame.body?.length ?? 0);
}

function sizeOf(frame: ReplyFrame): number {
  const headers = frame.action === 'head' ? frame.headers : [];
  return bodyBytes(frame) + headBytes(headers) + frameBytes;
}

/** A few bytes of a large buffer would keep all of it. */
function ownBody(frame: ReplyFrame): ReplyFrame {
  if (frame.action === 'end' || frame.body === undefined) return frame;
  const { body } = frame;
  return body.buffer.byteLength > 2 * body.length ? { ...frame, body: Buffer.from(body) } : frame;
}
