/** Where a queue writes: a socket. */
export interface FrameSink<M> {
  write(message: M): void;
  /** Bytes written that the system has not taken yet. */
  readonly bufferedBytes: number;
}

export interface SendQueueOptions {
  /** Bytes of data that may wait in the socket's buffer: 262,144 (PROTOCOL.md, "Order", rule 6). */
  readonly socketBytes: number;
  /** A stream with more queued than this should wait. */
  readonly streamBytes: number;
  /** The stream was told to wait, and less than half of `streamBytes` is queued for it now. */
  onRoom(streamId: string): void;
}

interface Entry<M> {
  readonly message: M;
  readonly bytes: number;
  next: Entry<M> | undefined;
}

interface Stream<M> {
  first: Entry<M> | undefined;
  last: Entry<M> | undefined;
  bytes: number;
  waiting: boolean;
}

/**
 * Control overtakes data, streams take turns, and little waits in the socket, so that a large reply delays neither a
 * `cancel` nor another pull. Order within a stream is kept.
 */
export class SendQueue<M> {
  readonly #sink: FrameSink<M>;
  readonly #options: SendQueueOptions;
  /** Streams with something queued, the next in turn first. */
  readonly #streams = new Map<string, Stream<M>>();
  #queuedBytes = 0;
  #writing = false;
  #closed = false;

  constructor(sink: FrameSink<M>, options: SendQueueOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get queuedStreams(): number {
    return this.#streams.size;
  }

  /** Written at once, before any data that is queued. */
  control(message: M): void {
    if (!this.#closed) this.#sink.write(message);
  }

  /**
   * Written at once where nothing is queued and the socket has room, else queued. False: send no more for this stream
   * until `onRoom(streamId)`. After `close` everything is dropped and the answer is false.
   */
  data(streamId: string, message: M, bytes: number): boolean {
    if (this.#closed) return false;
    if (this.#streams.size === 0 && this.#hasRoom(bytes)) {
      this.#sink.write(message);
      return true;
    }
    const stream = this.#enqueue(streamId, { message, bytes, next: undefined });
    stream.waiting ||= stream.bytes > this.#options.streamBytes;
    return !stream.waiting;
  }

  /** Drops what is queued for the stream; no `onRoom` follows. */
  forget(streamId: string): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    this.#streams.delete(streamId);
    this.#queuedBytes -= stream.bytes;
  }

  /** The socket has room again: to be called on its `drain`. */
  drained(): void {
    // A sink that reports room from inside `write` would recurse once a frame.
    if (this.#writing) return;
    this.#writing = true;
    try {
      this.#writeInTurn();
    } finally {
      this.#writing = false;
    }
  }

  /** Drops everything; later calls do nothing. */
  close(): void {
    this.#closed = true;
    this.#streams.clear();
    this.#queuedBytes = 0;
  }

  #hasRoom(bytes: number): boolean {
    const buffered = this.#sink.bufferedBytes;
    // A frame larger than the limit must still go some time: into an empty buffer.
    return buffered === 0 || buffered + bytes <= this.#options.socketBytes;
  }

  #enqueue(streamId: string, entry: Entry<M>): Stream<M> {
    let stream = this.#streams.get(streamId);
    if (stream === undefined) {
      stream = { first: undefined, last: undefined, bytes: 0, waiting: false };
      this.#streams.set(streamId, stream);
    }
    if (stream.last === undefined) stream.first = entry;
    else stream.last.next = entry;
    stream.last = entry;
    stream.bytes += entry.bytes;
    this.#queuedBytes += entry.bytes;
    return stream;
  }

  /** One frame a stream and turn. A `Map` iterates over what is put back at its end while it is iterated. */
  #writeInTurn(): void {
    for (const [streamId, stream] of this.#streams) {
      const entry = stream.first;
      if (entry !== undefined) {
        if (!this.#hasRoom(entry.bytes)) return;
        this.#take(stream, entry);
        // Still in the map, so that what is added from inside `write` comes after this frame.
        this.#sink.write(entry.message);
      }
      if (this.#streams.get(streamId) === stream) this.#endTurn(streamId, stream);
    }
  }

  #take(stream: Stream<M>, entry: Entry<M>): void {
    stream.first = entry.next;
    if (stream.first === undefined) stream.last = undefined;
    stream.bytes -= entry.bytes;
    this.#queuedBytes -= entry.bytes;
  }

  #endTurn(streamId: string, stream: Stream<M>): void {
    this.#streams.delete(streamId);
    if (stream.first !== undefined) this.#streams.set(streamId, stream);
    if (!stream.waiting || stream.bytes * 2 >= this.#options.streamBytes) return;
    stream.waiting = false;
    this.#options.onRoom(streamId);
  }
}
