import {
  type Clock,
  codecFor,
  PullFault,
  type ReplyMessage,
  type Timer,
  WireError,
} from '@pullwire/shared';

/** One WebSocket to the relay's own WebSocket API. */
export interface ChannelSocket {
  send(text: string): void;
  close(): void;
}

export interface ChannelSocketEvents {
  text(text: string): void;
  /** Ended, however it came; nothing follows. */
  closed(why: string): void;
}

export interface ReplyChannelOptions {
  /** Resolves when the socket is open. */
  dial(events: ChannelSocketEvents): Promise<ChannelSocket>;
  readonly clock: Clock;
  /** A reply frame that a function of ours passed on. */
  received(message: ReplyMessage): void;
  /** Replies come to this connection from now on: whoever waits must say so to its agent. */
  moved(connectionId: string): void;
  /** Whether a reply is awaited. */
  waiting(): boolean;
  /** Replies that are awaited will not come: the channel is gone, and no other can be opened. */
  lost(fault: PullFault): void;
  /** What became of a channel, for the log. */
  ended(why: string): void;
}

/** Milliseconds. A gateway ends what is silent for 10 minutes or open for 2 hours (AWS.md, "Lambda on nodejs24.x"). */
const silentMs = 8 * 60_000;
const oldMs = 110 * 60_000;
const proveAfterMs = 30_000;
const echoMs = 300;
const helloMs = 5_000;
/** After a dial that failed the next one waits: new connections are bounded for the whole account. */
const redialMs = 1_000;

const codec = codecFor('pullwire.v1+json');
/** The gateway's answer, as its template has it; all else that comes is an agent's message, passed on. */
const keptAlive = /^\s*\{\s*"action"\s*:\s*"kept-alive"/;
const keepAlive = codec.encode({ action: 'keep-alive' }) as string;

interface OpenChannel {
  readonly socket: ChannelSocket;
  readonly connectionId: string;
  readonly openedAt: number;
}

/**
 * The connection on which replies come to an environment of the http function. It lives over invocations and freezes
 * with them: what it knows of its socket may be out of date whenever an invocation begins.
 */
export class ReplyChannel {
  readonly #options: ReplyChannelOptions;
  #channel: OpenChannel | undefined;
  #dialling: Promise<OpenChannel> | undefined;
  #receivedAt = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  /** Counts channels: what comes from an earlier one no longer counts. */
  #generation = 0;
  #echo: { heard(): void } | undefined;
  readonly counters = { dials: 0, echoes: 0, moves: 0, unreadable: 0 };

  constructor(options: ReplyChannelOptions) {
    this.#options = options;
  }

  /** Begins to dial, so that the channel is there when it is needed. */
  open(): void {
    this.ready().catch(() => undefined); // whoever needs it hears of it
  }

  /** The id of a connection that was usable a moment ago. Rejects with `PullFault` `channel-unavailable`. */
  async ready(): Promise<string> {
    const usable = this.#usable();
    if (usable !== undefined) return usable.connectionId;
    const begunBefore = this.#dialling;
    if (begunBefore === undefined) return (await this.#dial()).connectionId;
    try {
      return (await begunBefore).connectionId;
    } catch {
      // A dial that an earlier invocation began may have been frozen in the middle: it says nothing about now.
      this.#failedAt = Number.NEGATIVE_INFINITY;
      return (await this.#dial()).connectionId;
    }
  }

  /**
   * To be called beside the post of a pull: where nothing was heard for 30 s, an echo proves the channel. Without one
   * a new channel takes its place, and `moved` is told. Rejects as `ready` does.
   */
  async prove(): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined) return this.#replace();
    if (this.#options.clock.wall() - this.#receivedAt < proveAfterMs) return;
    this.counters.echoes += 1;
    if (await this.#answersEcho(channel)) return;
    if (this.#channel === channel) this.#drop('no echo');
    await this.#replace();
  }

  stop(): void {
    this.#drop('stopped');
  }

  #usable(): OpenChannel | undefined {
    const channel = this.#channel;
    if (channel === undefined) return undefined;
    const now = this.#options.clock.wall();
    if (now - this.#receivedAt < silentMs && now - channel.openedAt < oldMs) return channel;
    this.#drop('too old');
    return undefined;
  }

  async #replace(): Promise<void> {
    const { connectionId } = this.#usable() ?? (await this.#dial());
    this.counters.moves += 1;
    this.#options.moved(connectionId);
  }

  #dial(): Promise<OpenChannel> {
    if (this.#dialling !== undefined) return this.#dialling;
    if (this.#options.clock.wall() - this.#failedAt < redialMs) {
      return Promise.reject(unavailable('the last attempt failed a moment ago'));
    }
    this.#dialling = this.#open().finally(() => {
      this.#dialling = undefined;
    });
    return this.#dialling;
  }

  async #open(): Promise<OpenChannel> {
    this.counters.dials += 1;
    this.#generation += 1;
    const generation = this.#generation;
    const greeted = Promise.withResolvers<string>();
    greeted.promise.catch(() => undefined);
    try {
      const socket = await this.#options.dial({
        text: (text) => {
          if (generation === this.#generation) this.#text(text, greeted.resolve);
        },
        closed: (why) => {
          greeted.reject(new Error(why));
          if (generation === this.#generation) this.#closed(why);
        },
      });
      const connectionId = await this.#greet(socket, greeted.promise);
      const now = this.#options.clock.wall();
      this.#receivedAt = now;
      this.#channel = { socket, connectionId, openedAt: now };
      return this.#channel;
    } catch (cause) {
      this.#generation += 1;
      this.#failedAt = this.#options.clock.wall();
      throw unavailable(cause instanceof Error ? cause.message : 'unknown', cause);
    }
  }

  /** A connection learns its own id from the answer to its first message. */
  async #greet(socket: ChannelSocket, greeted: Promise<string>): Promise<string> {
    const late = Promise.withResolvers<never>();
    const timer = this.#options.clock.after(helloMs, () =>
      late.reject(new Error(`no answer within ${helloMs} ms`)),
    );
    try {
      socket.send(keepAlive);
      return await Promise.race([greeted, late.promise]);
    } catch (error) {
      socket.close();
      throw error;
    } finally {
      timer.cancel();
    }
  }

  #text(text: string, greeted: (connectionId: string) => void): void {
    this.#receivedAt = this.#options.clock.wall();
    try {
      if (keptAlive.test(text)) return this.#keptAlive(text, greeted);
      const message = codec.decodeAgent(text);
      if ('replyTo' in message) this.#options.received(message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.counters.unreadable += 1; // the gateway's own words about a message that failed
    }
  }

  #keptAlive(text: string, greeted: (connectionId: string) => void): void {
    const message = codec.decodeRelay(text);
    if (message.action !== 'kept-alive') return;
    if (message.connectionId !== undefined) greeted(message.connectionId);
    this.#echo?.heard();
  }

  #answersEcho({ socket }: OpenChannel): Promise<boolean> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const settle = (heard: boolean): void => {
        timer?.cancel();
        this.#echo = undefined;
        resolve(heard);
      };
      timer = this.#options.clock.after(echoMs, () => settle(false));
      this.#echo = { heard: () => settle(true) };
      socket.send(keepAlive);
    });
  }

  /** Whoever waits for a reply is told of another channel at once, and not at its deadline. */
  #closed(why: string): void {
    const wasOpen = this.#channel !== undefined;
    this.#drop(why);
    if (!wasOpen || !this.#options.waiting()) return;
    this.#replace().catch((error: unknown) => {
      this.#options.lost(error instanceof PullFault ? error : unavailable('unknown', error));
    });
  }

  #drop(why: string): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    this.#channel = undefined;
    this.#generation += 1;
    channel.socket.close();
    this.#options.ended(why);
  }
}

function unavailable(why: string, cause?: unknown): PullFault {
  return new PullFault('channel-unavailable', 'lookup', {
    detail: `the relay cannot open the connection on which replies come: ${why}`,
    retryAfterMs: 1_000,
    cause,
  });
}
