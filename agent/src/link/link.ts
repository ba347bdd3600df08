import {
  type AgentMessage,
  type BufferCollector,
  type Bye,
  type ByeCode,
  byeRule,
  type Clock,
  codecFor,
  type Feature,
  type FrameLimits,
  type Head,
  type Hello,
  type Ignored,
  type Incoming,
  type Movement,
  protocolVersion,
  type Reading,
  type RelayMessage,
  type ReplyBody,
  type ReplyEnd,
  type Rotated,
  type Subprotocol,
  subprotocols,
  type Timer,
  unacknowledgedBytes,
  type Welcome,
  WireError,
} from '@pullwire/shared';
import type { LinkFeatures, PullLink, PullReceiver } from '../pull/pull-link.ts';
import type { ReadingLink, ReadingReceiver } from '../reading/reading-link.ts';
import { addMoved, type LinkCounters } from './link-counters.ts';
import { dispatch, type RelayHandlers } from './link-dispatch.ts';
import type { LinkPace } from './link-pace.ts';
import type { LinkSocket } from './link-socket.ts';
import { type LinkEvent, type LinkState, linkStep } from './link-state.ts';
import { LinkWriter } from './link-writer.ts';
import { PathWatch } from './path-watch.ts';
import { SpokenHello } from './spoken-hello.ts';

export interface LinkOptions {
  /** Open. */
  readonly socket: LinkSocket;
  readonly receiver: PullReceiver;
  /** Absent: this agent sends no readings. */
  readonly readings?: ReadingReceiver | undefined;
  readonly clock: Clock;
  /** For the relay's `welcome`. */
  readonly welcomeMs: number;
  readonly pace: LinkPace;
  readonly counters: LinkCounters;
  readonly collector: BufferCollector;
  readonly hooks: LinkHooks;
}

export interface LinkHooks {
  state(link: Link): void;
  /** The relay said its terms: the first time, which opens the link, or again. */
  welcomed(link: Link): void;
  /** A frame that the relay should not have sent; the link ends. */
  malformed(error: WireError): void;
  /** The relay wants another key of the device. */
  rotate(link: Link): void;
  rotated(rotated: Rotated): void;
  /** Something in this process threw; the link ends. */
  failed(error: unknown): void;
}

/** One WebSocket from its `open` to its end, and the way back for the pulls that came over it. */
export class Link implements PullLink, ReadingLink {
  readonly subprotocol: Subprotocol;
  readonly #options: LinkOptions;
  readonly #writer: LinkWriter;
  readonly #watch: PathWatch;
  readonly #hello = new SpokenHello((hello) => this.control(hello));
  readonly #decode: (data: Incoming) => RelayMessage | Ignored;
  #state: LinkState = 'greeting';
  #features: LinkFeatures = { resend: false, upload: false };
  #welcome: Welcome | undefined;
  #welcomeDue: Timer | undefined;
  #openedAt: number | undefined;
  #livedMs = 0;
  #bye: Bye | undefined;
  #drainWithinMs: number | undefined;
  #pulledAt = Number.NEGATIVE_INFINITY;

  constructor(options: LinkOptions) {
    const { socket, receiver, readings, counters, collector, clock, pace } = options;
    this.#options = options;
    this.subprotocol = agreed(socket.protocol);
    this.#decode = codecFor(this.subprotocol).decodeRelay;
    this.#writer = new LinkWriter(socket, this.subprotocol, {
      counters,
      collector,
      room: (id) => receiver.room(id),
      idle: () => readings?.room(this),
    });
    this.#watch = new PathWatch(clock, pace, {
      ping: () => this.#ping(),
      pong: () => socket.pong(),
      keepAlive: () => this.control({ action: 'keep-alive' }),
      pace: (heartbeatMs) => this.#hello.paced(heartbeatMs),
      wire: () => socket.wire,
      movement: () => socket.movement(),
      unacknowledged: () => unacknowledgedBytes(socket.transport),
      dead: () => this.bye('idle', 'no proof of life in time'),
    });
  }

  get state(): LinkState {
    return this.#state;
  }

  /** What the relay said last about itself. */
  get welcome(): Welcome | undefined {
    return this.#welcome;
  }

  /** The `bye` that ended it, of whichever side. */
  get byeSaid(): Bye | undefined {
    return this.#bye;
  }

  /** The relay asked for the next link, this long before it closes this one. */
  get drainWithinMs(): number | undefined {
    return this.#drainWithinMs;
  }

  /** When the last pull came, by the monotonic clock. */
  get pulledAt(): number {
    return this.#pulledAt;
  }

  /** How long it was open, in milliseconds. */
  get livedMs(): number {
    if (this.#openedAt === undefined || this.#state === 'closed') return this.#livedMs;
    return this.#options.clock.monotonic() - this.#openedAt;
  }

  /** What has moved over its socket so far. */
  get movement(): Movement {
    return this.#options.socket.movement();
  }

  /** Bytes that wait in this process. */
  get waitingBytes(): number {
    return this.#writer.waitingBytes;
  }

  get limits(): FrameLimits {
    return this.#writer.limits;
  }

  get features(): LinkFeatures {
    return this.#features;
  }

  /** Says `hello`; the relay's `welcome` opens the link. */
  start(hello: Hello): void {
    const { socket, clock, welcomeMs } = this.#options;
    socket.on('message', this.#onMessage);
    socket.on('pong', () => this.#watch.ponged());
    socket.once('close', () => {
      this.#close();
      addMoved(this.#options.counters, socket.movement());
    });
    this.#welcomeDue = clock.after(welcomeMs, () =>
      this.bye('hello-timeout', 'no welcome in time'),
    );
    this.#hello.start(hello);
  }

  /** What is said of the agent has changed; before `welcome` it waits. */
  repeatHello(hello: Hello): void {
    this.#hello.repeat(hello);
  }

  bodyRoom(head: Head): number {
    return this.#writer.bodyRoom(head);
  }

  /** @throws WireError where the message cannot be encoded. */
  control(message: AgentMessage): void {
    if (this.#state !== 'closed') this.#writer.control(message);
  }

  /** @throws WireError where the message cannot be encoded. */
  data(pullId: string, message: Head | ReplyBody | ReplyEnd, bytes: number): boolean {
    return this.#state !== 'closed' && this.#writer.data(pullId, message, bytes);
  }

  forget(pullId: string): void {
    this.#writer.forget(pullId);
  }

  /** @throws WireError where the message cannot be encoded. */
  reading(message: Reading): boolean {
    return this.#state !== 'closed' && this.#writer.background(message);
  }

  /** Asks the relay for no new pulls. */
  drain(): void {
    if (linkStep(this.#state, 'drain').does !== 'say') return;
    this.control({ action: 'drain' });
    this.#enter('drain');
  }

  /** Resolves when no data is queued any more, or the link is closed. */
  flushed(): Promise<void> {
    return this.#writer.flushed();
  }

  /** The last word; `closeCode` where it is another than that of the `bye`. */
  bye(code: ByeCode, reason?: string, closeCode: number = byeRule(code).close): void {
    if (this.#state === 'closed') return;
    this.#bye = {
      action: 'bye',
      code,
      ...(reason !== undefined && { reason: reason.slice(0, 256) }),
    };
    const { socket } = this.#options;
    const isStuck = socket.movement().waiting > 0;
    this.#writer.control(this.#bye);
    socket.close(closeCode);
    // Nobody answers a closing handshake on a dead path; waiting for one would only delay the next dial.
    if (code === 'idle') socket.abandon(isStuck);
    this.#close();
  }

  readonly #handlers: RelayHandlers = {
    welcome: (welcome) => this.#welcomed(welcome),
    pull: (message) => {
      this.#pulledAt = this.#options.clock.monotonic();
      this.#options.receiver.receive(message, this);
    },
    drain: ({ withinMs }) => {
      this.#drainWithinMs = withinMs;
      this.#enter('relay-drain');
    },
    bye: (bye) => this.#dismissed(bye),
    probe: ({ pullId, replyTo }) => {
      const answers = this.#announced('probe') && !this.#writer.congested;
      if (answers) this.control({ action: 'probed', pullId, replyTo });
      else this.#options.counters.ignored += 1;
    },
    rotate: () => {
      if (this.#announced('rotate')) this.#options.hooks.rotate(this);
      else this.#options.counters.ignored += 1;
    },
    rotated: (rotated) => {
      if (this.#announced('rotate')) this.#options.hooks.rotated(rotated);
      else this.#options.counters.ignored += 1;
    },
    stored: (stored) => {
      if (this.#announced('readings')) this.#options.readings?.stored(stored);
      else this.#options.counters.ignored += 1;
    },
    held: (held) => {
      if (this.#announced('hold')) this.#options.readings?.held(held);
      else this.#options.counters.ignored += 1;
    },
    keptAlive: () => this.#watch.keptAlive(),
    ignored: (name) => {
      if (name === 'gateway-error') this.#watch.keptAlive();
      this.#options.counters.ignored += 1;
    },
  };

  /** A message of a feature that was not announced is ignored (PROTOCOL.md, "Features"). */
  #announced(feature: Feature): boolean {
    return this.#welcome?.features.includes(feature) === true;
  }

  readonly #onMessage = (data: unknown, isBinary: boolean): void => {
    if (this.#state === 'closed') return;
    this.#options.counters.framesIn += 1;
    try {
      // With `fragments` as its binary type, `ws` gives the pieces of a binary message, and one buffer for text.
      if (isBinary) this.#options.collector.received(data as Uint8Array[]);
      const incoming = isBinary ? (data as Uint8Array[]) : (data as Buffer).toString();
      const greeted = linkStep(this.#state, 'pull').does !== 'refuse';
      dispatch(this.#decode(incoming), greeted, this.#handlers);
    } catch (error) {
      this.#fail(error);
    }
  };

  #welcomed(welcome: Welcome): void {
    if (welcome.version !== protocolVersion) {
      return this.bye('unsupported-version', `expected version ${protocolVersion}`);
    }
    this.#welcomeDue?.cancel();
    this.#welcome = welcome;
    this.#writer.narrow(welcome.limits);
    const { features } = welcome;
    this.#features = { resend: features.includes('resend'), upload: features.includes('upload') };
    this.#watch.start(welcome);
    if (linkStep(this.#state, 'welcome').does === 'open') this.#open();
    this.#options.hooks.welcomed(this);
    // One that drains has a successor, or will have.
    const isKept = features.includes('readings') && this.#state === 'open';
    if (isKept) this.#options.readings?.opened(this);
  }

  #open(): void {
    this.#openedAt = this.#options.clock.monotonic();
    this.#options.counters.links += 1;
    this.#enter('welcome');
    this.#hello.answered();
  }

  #dismissed(bye: Bye): void {
    this.#bye = bye;
    this.#options.socket.close(1000);
    this.#close();
  }

  #fail(error: unknown): void {
    if (!(error instanceof WireError)) {
      this.#options.hooks.failed(error);
      return this.bye('internal-error');
    }
    this.#options.counters.malformed += 1;
    this.#options.hooks.malformed(error);
    // Unsupported Data (RFC 6455 §7.4.1) has no `bye` of its own.
    if (error.code === 'wrong-type') this.bye('protocol-error', error.message, 1003);
    else this.bye(error.code, error.message);
  }

  #ping(): void {
    this.#options.counters.pings += 1;
    this.#options.socket.ping();
  }

  #close(): void {
    if (this.#state === 'closed') return;
    this.#livedMs = this.livedMs;
    this.#welcomeDue?.cancel();
    if (this.#bye === undefined || this.#bye.code === 'idle') this.#watch.lost();
    this.#watch.stop();
    this.#enter('lost');
    this.#writer.close();
    this.#options.receiver.lost(this);
    this.#options.readings?.lost(this);
  }

  #enter(event: LinkEvent): void {
    const { state } = linkStep(this.#state, event);
    if (state === this.#state) return;
    this.#state = state;
    this.#options.hooks.state(this);
  }
}

/** `ws` refuses an answer that picked none of those offered. */
function agreed(protocol: string): Subprotocol {
  return subprotocols.find((known) => known === protocol) ?? 'pullwire.v1+json';
}
