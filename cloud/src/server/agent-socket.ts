import type { Socket } from 'node:net';
import {
  type AgentMessage,
  type BufferCollector,
  byeRule,
  type Clock,
  type Codec,
  Cork,
  type Frame,
  type FrameLimits,
  Heartbeat,
  type HeartbeatTerms,
  type Ignored,
  movementOf,
  type Pull,
  PullFault,
  type RelayMessage,
  type RequestBody,
  type RequestEnd,
  SendQueue,
  unacknowledgedBytes,
  WireError,
} from '@pullwire/shared';
import type { WebSocket } from 'ws';
import type { LiveConnection } from './live-link.ts';

export interface AgentSocketEvents {
  message(message: AgentMessage | Ignored): void;
  room(pullId: string): void;
  /** The agent sent a ping or a pong. */
  pinged(): void;
  /** The socket has ended; said once. */
  closed(why: string): void;
}

export interface AgentSocketOptions {
  readonly connectionId: string;
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly heartbeat: HeartbeatTerms;
  readonly collector: BufferCollector;
  readonly events: AgentSocketEvents;
}

const socketBytes = 256 * 1024;
const streamBytes = 128 * 1024;
/** A link whose socket takes nothing while this much waits is full: new pulls are refused, not queued. */
const fullBytes = 4 * 1024 * 1024;
const closeWithinMs = 2_000;

/** One agent's WebSocket at the one-box server: frames in and out, proof of life, and its end. */
export class AgentSocket implements LiveConnection {
  readonly connectionId: string;
  readonly #options: AgentSocketOptions;
  readonly #queue: SendQueue<Frame>;
  readonly #cork: Cork;
  /** By the monotonic clock: the other one may be set while the link is open. */
  #provedAt: number;
  readonly #heartbeat: Heartbeat;
  /** Pings beside the heartbeat's that wait for their pong. */
  readonly #pings = new Map<string, () => void>();
  /** Bytes received when the last frame was whole. */
  #wholeBytes = 0;
  #part = { bytes: 0, at: 0 };
  #over = false;

  constructor(options: AgentSocketOptions) {
    const { ws, socket } = options;
    this.#options = options;
    this.connectionId = options.connectionId;
    this.#cork = new Cork(socket);
    this.#provedAt = options.clock.monotonic();
    this.#queue = new SendQueue<Frame>(
      {
        write: (frame) => this.#write(frame),
        get bufferedBytes() {
          return ws.bufferedAmount;
        },
      },
      { socketBytes, streamBytes, onRoom: (pullId) => options.events.room(pullId) },
    );
    this.#heartbeat = new Heartbeat(options.clock, 'peer-speaks', options.heartbeat, {
      ping: () => {
        this.#cork.hold();
        ws.ping();
      },
      reassure: () => {
        this.#cork.hold();
        ws.pong();
      },
      movement: () => movementOf(socket),
      unacknowledged: () => unacknowledgedBytes(socket),
      dead: () => {
        ws.terminate();
        this.#ended('idle');
      },
    });
  }

  start(): void {
    const { ws, socket, codec, events } = this.#options;
    if (codec.subprotocol === 'pullwire.v1+bin') ws.binaryType = 'fragments';
    ws.on('message', (data, isBinary) => this.#receive(data, isBinary));
    ws.on('ping', (data) => this.#pinged(data));
    ws.on('pong', (data: Buffer) => {
      this.#proof();
      this.#heartbeat.answered();
      if (!this.#ponged(data)) events.pinged();
    });
    ws.on('error', (error) => this.#failed(error));
    ws.on('close', (code) => this.#ended(code === 1006 ? 'link-lost' : `closed-${code}`));
    socket.on('drain', () => this.#queue.drained());
    this.#heartbeat.start();
  }

  get limits(): FrameLimits {
    return this.#options.codec.limits;
  }

  get lastProofAt(): number {
    const { clock } = this.#options;
    return Math.round(clock.wall() - (clock.monotonic() - this.#provedAt));
  }

  get proofDueAt(): number {
    return this.lastProofAt + this.#heartbeat.silenceMs;
  }

  get partHeardAt(): number | undefined {
    const { socket, clock } = this.#options;
    const bytes = socket.bytesRead;
    if (bytes === this.#wholeBytes) return undefined;
    if (bytes !== this.#part.bytes) this.#part = { bytes, at: clock.monotonic() };
    return this.#part.at;
  }

  /**
   * Watches at the agent's own pace, which is its word: never more often than this relay would by itself, since its pings
   * would defeat a rare heartbeat, and within its bounds. Undefined: at the relay's pace.
   */
  watch(agentMs: number | undefined): void {
    const { intervalMs, timeoutMs, maxIntervalMs = intervalMs } = this.#options.heartbeat;
    const paceMs = Math.max(intervalMs, Math.min(agentMs ?? intervalMs, maxIntervalMs));
    if (paceMs !== this.#heartbeat.settings.intervalMs) {
      this.#heartbeat.adapt({ intervalMs: paceMs, timeoutMs });
    }
  }

  get queuedBytes(): number {
    return this.#queue.queuedBytes + this.#options.ws.bufferedAmount;
  }

  bodyRoom(pull: Pull): number {
    return this.#options.codec.bodyRoom(pull);
  }

  control(message: RelayMessage): void {
    if (this.#over) throw lost();
    if (message.action === 'pull' && this.queuedBytes > fullBytes) throw full(this.queuedBytes);
    this.#queue.control(this.#options.codec.encode(message));
  }

  data(pullId: string, message: Pull | RequestBody | RequestEnd, bytes: number): boolean {
    if (this.#over) throw lost();
    if (message.action === 'pull' && this.queuedBytes > fullBytes) throw full(this.queuedBytes);
    return this.#queue.data(pullId, this.#options.codec.encode(message), bytes);
  }

  forget(pullId: string): void {
    this.#pings.delete(pullId);
    this.#queue.forget(pullId);
  }

  close(code: string, reason: string, closeCode: number = byeRule(code).close): void {
    if (this.#over) return;
    this.#queue.control(this.#options.codec.encode({ action: 'bye', code, reason }));
    this.#over = true;
    this.#queue.close();
    this.#heartbeat.stop();
    const { ws, clock } = this.#options;
    ws.close(closeCode, code);
    // Whoever floods goes on doing it: nothing is read any more, and the kernel holds it back.
    if (code === 'too-many-messages') ws.pause();
    const timer = clock.after(closeWithinMs, () => ws.terminate());
    ws.once('close', () => timer.cancel());
  }

  /** A ping of its own beside the heartbeat's: tells when its pong has come. */
  ping(id: string, ponged: () => void): void {
    if (this.#over) throw lost();
    this.#pings.set(id, ponged);
    this.#cork.hold();
    this.#options.ws.ping(id);
  }

  /** Whether this pong was asked for by `ping`. */
  #ponged(data: Buffer): boolean {
    if (this.#pings.size === 0) return false;
    const id = data.toString('latin1');
    const ponged = this.#pings.get(id);
    this.#pings.delete(id);
    ponged?.();
    return ponged !== undefined;
  }

  /** RFC 6455 §5.5.2: answered with the same data. */
  #pinged(data: Buffer): void {
    if (this.#over) return;
    this.#proof();
    this.#options.events.pinged();
    if (this.#over) return; // it was one too many
    this.#cork.hold();
    this.#options.ws.pong(data);
  }

  #receive(data: unknown, isBinary: boolean): void {
    if (this.#over) return;
    this.#proof();
    const { codec, events } = this.#options;
    const binary = codec.subprotocol === 'pullwire.v1+bin';
    try {
      if (isBinary !== binary) {
        throw new WireError(
          'wrong-type',
          `${codec.subprotocol} has no ${isBinary ? 'binary' : 'text'} messages`,
        );
      }
      if (isBinary) this.#options.collector.received(data as Buffer[]);
      // With `binaryType` fragments ws gives an array for binary messages, and one Buffer for text.
      events.message(
        codec.decodeAgent(isBinary ? (data as Buffer[]) : (data as Buffer).toString('utf8')),
      );
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error: unknown): void {
    if (!(error instanceof WireError)) throw error;
    const code = error.code === 'too-large' ? 'too-large' : 'protocol-error';
    // Unsupported Data (RFC 6455 §7.4.1) has no `bye` of its own.
    if (error.code === 'wrong-type') this.close(code, error.message, 1003);
    else this.close(code, error.message);
    this.#ended(code);
  }

  #failed(error: Error & { code?: string }): void {
    // ws closes with the right code by itself after a protocol error of the WebSocket layer.
    const tooLarge = error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
    this.#ended(tooLarge ? 'too-large' : 'protocol-error');
  }

  #ended(why: string): void {
    this.#over = true;
    this.#heartbeat.stop();
    this.#queue.close();
    this.#options.events.closed(why);
  }

  readonly #proof = (): void => {
    const { clock, socket } = this.#options;
    this.#provedAt = clock.monotonic();
    this.#wholeBytes = socket.bytesRead;
  };

  #write(frame: Frame): void {
    const { ws } = this.#options;
    this.#cork.hold();
    if (typeof frame === 'string') return ws.send(frame);
    const [head, body] = frame as [Uint8Array, Uint8Array?];
    if (body === undefined) return ws.send(head);
    this.#options.collector.moved(body.length);
    ws.send(head, { binary: true, fin: false });
    ws.send(body, { binary: true, fin: true });
  }
}

function lost(): PullFault {
  return new PullFault('link-lost', 'send', {
    detail: 'the link to the device was just lost',
    retryAfterMs: 1_000,
  });
}

function full(bytes: number): PullFault {
  return new PullFault('link-full', 'send', {
    detail: `${bytes} bytes already wait for the device's link`,
    retryAfterMs: 1_000,
  });
}
