import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  type AgentMessage,
  codecFor,
  type Pull,
  type RelayMessage,
  systemClock,
} from '@pullwire/shared';
import { WebSocket } from 'ws';
import { type LinkEnd, redial } from '../../agent/src/link/redial-policy.ts';
import { retryAfterOf } from '../../agent/src/link/refusal.ts';
import type { FleetDevice } from './enrol-fleet.ts';

export interface LightAgentEvents {
  opened(device: string): void;
  lost(device: string): void;
  /** The relay answered a dial with this status. */
  refused(status: number): void;
}

const codec = codecFor('pullwire.v1+bin');

/** As the agent ships. */
const redialSettings = { baseMs: 1_000, capMs: 60_000, stableMs: 30_000 };
const handshakeTimeout = 30_000;

/**
 * An agent without a daemon around it: a key, a real WebSocket, the real codec, and the shipped policy of when to dial
 * again. Thousands fit into one process. Each pull is answered with the device's id.
 */
export class LightAgent {
  readonly #url: string;
  readonly #device: string;
  readonly #key;
  readonly #events: LightAgentEvents;
  #attempt = 0;
  #ws: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(url: string, { device, privateKey }: FleetDevice, events: LightAgentEvents) {
    this.#url = url;
    this.#device = device;
    this.#key = createPrivateKey(privateKey);
    this.#events = events;
  }

  /** The first dial comes within `withinMs`. */
  start(withinMs: number): void {
    this.#timer = setTimeout(() => this.#dial(), Math.random() * withinMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#ws?.terminate();
  }

  #dial(): void {
    const ws = new WebSocket(this.#url, ['pullwire.v1+bin'], {
      headers: { Authorization: `Bearer ${this.#token()}` },
      perMessageDeflate: false,
      handshakeTimeout,
    });
    this.#ws = ws;
    let end: LinkEnd | undefined;
    let openedAt: number | undefined;
    ws.on('open', () => send(ws, this.#hello()));
    ws.on('message', (data: Buffer) => {
      const message = codec.decodeRelay(data) as RelayMessage;
      if (message.action === 'welcome' && openedAt === undefined) {
        openedAt = performance.now();
        this.#events.opened(this.#device);
      }
      if (message.action === 'pull') this.#answer(ws, message);
      if (message.action === 'bye') end = { cause: 'bye', code: message.code };
    });
    ws.on('unexpected-response', (_request, response) => {
      end = this.#refused(response);
      ws.terminate();
    });
    ws.on('error', (error) => {
      end ??= { cause: 'unreachable', reason: error.message };
    });
    ws.once('close', (closeCode) => {
      if (openedAt !== undefined) this.#events.lost(this.#device);
      const livedMs = openedAt === undefined ? 0 : performance.now() - openedAt;
      this.#again(end ?? { cause: 'closed', closeCode }, livedMs);
    });
  }

  #again(end: LinkEnd, livedMs: number): void {
    if (this.#stopped) return;
    const input = { end, livedMs, attempt: this.#attempt, random: Math.random() };
    const next = redial(input, redialSettings);
    if ('final' in next) throw new Error(`${this.#device} was refused for good: ${next.final}`);
    this.#attempt = next.attempt;
    this.#timer = setTimeout(() => this.#dial(), next.waitMs);
  }

  #refused(response: IncomingMessage): LinkEnd {
    const status = response.statusCode ?? 0;
    this.#events.refused(status);
    const retryAfterMs = retryAfterOf(response, systemClock);
    return { cause: 'refused', status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }

  #hello() {
    return {
      action: 'hello',
      version: 1,
      agent: 'light/1',
      device: this.#device,
      instance: 'main',
      sources: [{ name: 'web', kind: 'http', methods: ['GET'] }],
      labels: {},
      features: [],
    } as const;
  }

  #answer(ws: WebSocket, { pullId, replyTo }: Pull): void {
    send(ws, {
      action: 'head',
      pullId,
      replyTo,
      seq: 0,
      status: 200,
      headers: ['Content-Type', 'text/plain'],
      body: Buffer.from(this.#device),
      end: true,
    });
  }

  /** PROTOCOL.md, "Handshake". */
  #token(): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      ...{ sub: this.#device, inst: 'main', aud: new URL(this.#url).host },
      ...{ iat: now, exp: now + 120, jti: randomUUID() },
    };
    const signed = `${part({ alg: 'EdDSA', typ: 'JWT' })}.${part(claims)}`;
    return `${signed}.${sign(null, Buffer.from(signed), this.#key).toString('base64url')}`;
  }
}

function send(ws: WebSocket, message: AgentMessage): void {
  ws.send(Buffer.concat(codec.encode(message) as Uint8Array[]));
}
