import type { Socket } from 'node:net';
import type { Clock } from '@pullwire/shared';
import type { WebSocket } from 'ws';
import type { AuthorizerContext } from '../../src/lambda/event.ts';
import { newConnectionId } from './connection-id.ts';
import { ConnectionLife } from './connection-life.ts';
import { FrameMeter } from './frame-meter.ts';
import { gatewayLimit } from './gateway-limit.ts';
import type { GatewaySwitches } from './gateway-switches.ts';

/** Who dialled, as the events carry it. */
export interface CallerIdentity {
  readonly sourceIp: string;
  readonly userAgent?: string;
}

export interface ConnectionListener {
  received(connection: GatewayConnection, text: string): void;
  /** The gateway knows that it is gone. Once. */
  gone(connection: GatewayConnection, status: number, reason: string): void;
}

/** Reasons of `$disconnect` by close code, as event logs show them. */
const reasons: Readonly<Record<number, string>> = {
  1000: 'Connection Closed Normally',
  1001: 'Going away',
  1005: 'Client-side close frame status not set',
  1006: 'Connection Closed Abnormally',
};

/** One client's WebSocket as the gateway holds it, from the begin of `$connect` until it is gone. */
export class GatewayConnection {
  readonly id = newConnectionId();
  readonly identity: CallerIdentity;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  authorizer: AuthorizerContext | undefined;
  readonly #switches: GatewaySwitches;
  readonly #listener: ConnectionListener;
  readonly #life: ConnectionLife;
  #state: 'connecting' | 'open' | 'gone' = 'connecting';
  /** A pulled cable: the client hears nothing more, and the gateway does not know. */
  #dead = false;
  #socket: WebSocket | undefined;

  constructor(
    identity: CallerIdentity,
    clock: Clock,
    switches: GatewaySwitches,
    listener: ConnectionListener,
  ) {
    this.identity = identity;
    this.#switches = switches;
    this.#listener = listener;
    this.connectedAt = clock.wall();
    this.#life = new ConnectionLife(clock, switches, () => this.close(1001, 'Going away'));
  }

  /** Whether it can be posted to: not inside its own `$connect`. */
  get open(): boolean {
    return this.#state === 'open';
  }

  /** Epoch milliseconds. */
  get lastActiveAt(): number {
    return this.#life.lastActiveAt;
  }

  /** Whether as much waits for the client as the gateway keeps. */
  get full(): boolean {
    return (this.#socket?.bufferedAmount ?? 0) > this.#switches.clientBufferBytes;
  }

  /** `$connect` and the upgrade are through. */
  accept(socket: WebSocket, raw: Socket): void {
    this.#state = 'open';
    this.#socket = socket;
    const meter = new FrameMeter(gatewayLimit.frameBytes, () =>
      this.close(1009, 'Message too long'),
    );
    // Before the listener of `ws`: a frame that is too long is refused before it is a message.
    raw.prependListener('data', (chunk: Buffer) => meter.pass(chunk));
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary));
    socket.on('ping', () => {
      if (this.#switches.pingsResetIdle) this.touch();
    });
    // `ws` has closed with the code of the error by then.
    socket.on('error', (error) => this.#end(errorCode(error), error.message));
    socket.on('close', (code, reason) => {
      if (!this.#dead) this.#end(code, reason.toString());
    });
    this.#life.start();
  }

  /** A message went through, in either direction. */
  touch(): void {
    this.#life.touch();
  }

  /** To the client, as text; into the void where it is gone or its cable is pulled. */
  send(bytes: Buffer): void {
    const socket = this.#socket;
    if (socket === undefined || this.#dead || this.#state !== 'open') return;
    const step = this.#switches.splitsPosts ? gatewayLimit.frameBytes : bytes.length;
    let at = 0;
    do {
      const end = Math.min(at + step, bytes.length);
      socket.send(bytes.subarray(at, end), { binary: false, fin: end === bytes.length });
      at = end;
    } while (at < bytes.length);
  }

  /** Says goodbye; whether the client hears it does not matter to the gateway. */
  close(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    if (!this.#dead) this.#socket?.close(code, reason);
    this.#end(code, reason);
  }

  /** The TCP connection is gone and the client sees it; the gateway finds out by the idle time-out. */
  cut(): void {
    this.#dead = true;
    this.#socket?.terminate();
  }

  /** A pulled cable: neither side sees anything. */
  silence(): void {
    this.#dead = true;
    this.#socket?.pause();
  }

  /** The TCP connection breaks and both sides see it: 1006. */
  drop(): void {
    this.#socket?.terminate();
  }

  /** The client left before the upgrade was through. */
  abandon(): void {
    this.#end(1006, '');
  }

  /** Ends it without a word to anybody: `$connect` refused it, or the gateway stops. */
  discard(): void {
    this.#state = 'gone';
    this.#life.stop();
    this.#socket?.terminate();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#state !== 'open' || this.#dead) return;
    if (isBinary) return this.close(1003, 'Binary is not supported');
    this.touch();
    this.#listener.received(this, data.toString('utf8'));
  }

  #end(code: number, reason: string): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    this.#life.stop();
    this.#listener.gone(this, code, reason === '' ? (reasons[code] ?? '') : reason);
  }
}

/** The close code for what `ws` objects to in a client's frames. */
function errorCode(error: Error): number {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return 1009;
  if (code === 'WS_ERR_INVALID_UTF8') return 1007;
  return typeof code === 'string' && code.startsWith('WS_ERR_') ? 1002 : 1006;
}
