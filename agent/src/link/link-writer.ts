import {
  type AgentMessage,
  type BufferCollector,
  type Codec,
  Cork,
  codecFor,
  type Frame,
  type FrameLimits,
  type Head,
  type ReplyBody,
  type ReplyEnd,
  SendQueue,
  type Subprotocol,
  WireError,
} from '@pullwire/shared';
import type { LinkCounters } from './link-counters.ts';
import type { LinkSocket } from './link-socket.ts';

/** Data in a socket's buffer at most (PROTOCOL.md, "Order", rule 6). */
const socketBytes = 262_144;
/** Over this in the socket's buffer, far above what data may take there, what was asked for is not answered. */
const congestedBytes = 1_048_576;
/** Data queued for one pull before its source is held. */
const streamBytes = 262_144;

const first = { fin: false, binary: true };
const last = { fin: true, binary: true };

export interface LinkWriterHooks {
  readonly counters: LinkCounters;
  readonly collector: BufferCollector;
  /** The queue has room again for this pull. */
  room(pullId: string): void;
  /** `background` would be taken again. */
  idle(): void;
}

/**
 * The way out of one link: encodes, queues, corks, sends. Frames are encoded before they are queued, so that whoever
 * made a message that cannot be sent hears of it at once, as a `WireError`.
 */
export class LinkWriter {
  readonly #socket: LinkSocket;
  readonly #codec: Codec;
  readonly #counters: LinkCounters;
  readonly #collector: BufferCollector;
  readonly #idle: () => void;
  readonly #cork: Cork;
  readonly #queue: SendQueue<Frame>;
  #limits: FrameLimits;
  #flushed: (() => void)[] = [];

  constructor(socket: LinkSocket, subprotocol: Subprotocol, hooks: LinkWriterHooks) {
    this.#socket = socket;
    this.#counters = hooks.counters;
    this.#collector = hooks.collector;
    this.#idle = hooks.idle;
    this.#codec = codecFor(subprotocol);
    this.#limits = this.#codec.limits;
    this.#cork = new Cork(socket.transport);
    this.#queue = new SendQueue<Frame>(new SocketSink(socket, (frame) => this.#send(frame)), {
      socketBytes,
      streamBytes,
      onRoom: hooks.room,
    });
    socket.transport.on('drain', this.#onDrain);
  }

  get limits(): FrameLimits {
    return this.#limits;
  }

  /** Bytes that wait in this process. */
  get waitingBytes(): number {
    return this.#queue.queuedBytes + this.#socket.bufferedAmount;
  }

  /** Whether answers that nobody paces pile up in the socket. */
  get congested(): boolean {
    return this.#socket.bufferedAmount > congestedBytes;
  }

  /**
   * The smaller of what both sides take.
   *
   * @throws WireError where the relay takes no body at all: nothing could ever be answered.
   */
  narrow(limits: FrameLimits): void {
    if (limits.bodyBytes < 1)
      throw new WireError('protocol-error', 'limits.bodyBytes: expected at least 1');
    const own = this.#codec.limits;
    this.#limits = {
      frameBytes: Math.min(own.frameBytes, limits.frameBytes),
      bodyBytes: Math.min(own.bodyBytes, limits.bodyBytes),
    };
  }

  bodyRoom(head: Head): number {
    return Math.min(this.#codec.bodyRoom(head), this.#limits.bodyBytes);
  }

  control(message: AgentMessage): void {
    this.#queue.control(this.#codec.encode(message));
  }

  data(pullId: string, message: Head | ReplyBody | ReplyEnd, bytes: number): boolean {
    return this.#queue.data(pullId, this.#codec.encode(message), bytes);
  }

  /**
   * Sends what nobody waits for: only where no pull has anything queued and the socket takes more. False where it does
   * not; `LinkWriterHooks.idle` follows.
   */
  background(message: AgentMessage): boolean {
    if (!this.#isIdle) return false;
    this.#queue.control(this.#codec.encode(message));
    return true;
  }

  forget(pullId: string): void {
    this.#queue.forget(pullId);
    this.#settle();
  }

  /** Resolves when no data is queued any more, or the writer is closed: `bye` would overtake it. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#flushed.push(resolve);
      this.#settle();
    });
  }

  /** Drops what is queued; what is in the socket already may still go. */
  close(): void {
    this.#socket.transport.off('drain', this.#onDrain);
    this.#queue.close();
    this.#settle();
  }

  readonly #onDrain = (): void => {
    this.#queue.drained();
    this.#settle();
    if (this.#isIdle) this.#idle();
  };

  /** A socket that wants no more says `drain` later; one with queued data is such a one. */
  get #isIdle(): boolean {
    return this.#queue.queuedStreams === 0 && !this.#socket.transport.writableNeedDrain;
  }

  #settle(): void {
    if (this.#flushed.length === 0 || this.#queue.queuedBytes > 0) return;
    const waiting = this.#flushed;
    this.#flushed = [];
    for (const resolve of waiting) resolve();
  }

  /** A binary frame of two parts goes out as two fragments: joining them would copy the body. */
  #send(frame: Frame): void {
    this.#counters.framesOut += 1;
    this.#cork.hold();
    if (typeof frame === 'string') return this.#socket.send(frame);
    const end = frame.length - 1;
    if (end > 0) this.#collector.moved((frame[end] as Uint8Array).length);
    for (let i = 0; i < end; i += 1) this.#socket.send(frame[i] as Uint8Array, first);
    this.#socket.send(frame[end] as Uint8Array, last);
  }
}

class SocketSink {
  readonly #socket: LinkSocket;
  readonly write: (frame: Frame) => void;

  constructor(socket: LinkSocket, write: (frame: Frame) => void) {
    this.#socket = socket;
    this.write = write;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }
}
