import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { frameLimits, PullFault, type Subprotocol, subprotocols } from '@pullwire/shared';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AgentIdentity } from '../auth/agent-token.ts';
import { attemptKeys, type Throttle } from '../auth/throttle.ts';
import { problem } from '../http/problem.ts';
import type { DeviceRecord } from '../registry/registry.ts';
import { version } from '../version.ts';
import type { HandshakeGate } from './handshake-gate.ts';
import { answerRaw } from './http-host.ts';

/** A handshake that was let in. */
export interface AdmittedLink {
  readonly identity: AgentIdentity;
  readonly record: DeviceRecord;
}

export interface OpenedSocket extends AdmittedLink {
  /** The registry's state when the device was read: where it has changed since, the device is checked again. */
  readonly registryVersion: number;
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly subprotocol: Subprotocol;
  readonly remoteAddress: string | undefined;
}

export interface LinkDoorOptions {
  /** Links at most, those under way too. */
  readonly maxLinks: number;
  links(): number;
  /** Links of one device that are open now. */
  linksOf(device: string): number;
  /** Grows with each change of the registry that this process hears of. */
  registryVersion(): number;
  /** The address of whoever dialled, seen through trusted proxies. */
  remoteAddress(request: IncomingMessage): string | undefined;
  /** Whether the relay is shutting down. */
  draining(): boolean;
  readonly throttle: Throttle;
  readonly gate: HandshakeGate;
  /** Rejects with `PullFault` where the token is not valid here; its detail is what the agent may know. */
  admit(token: string | undefined): Promise<AdmittedLink>;
  opened(link: OpenedSocket): void;
  refused(why: PullFault, remoteAddress: string | undefined): void;
}

/** Over the codec's limit, so that it is the codec which finds an oversized message and a `bye` which says so. */
const maxPayload = frameLimits['pullwire.v1+bin'].frameBytes + 1_024;

/** A stolen device key must not fill the relay with links of one device. */
const instanceLimit = 1_024;

/** Where agents dial in: checks a handshake before it upgrades it. */
export class LinkDoor {
  readonly #options: LinkDoorOptions;
  readonly #server: WebSocketServer;

  constructor(options: LinkDoorOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload,
      perMessageDeflate: false,
      autoPong: false, // ws drops whoever pings much without a word; the link's budget says why
      handleProtocols: (offered) => subprotocols.find((known) => offered.has(known)) ?? false,
    });
    // Agents learn the time by it (PROTOCOL.md, "Handshake"), and doctor whom it spoke with; nobody else is told.
    this.#server.on('headers', (headers) =>
      headers.push(
        `Date: ${new Date().toUTCString()}`,
        `Pullwire-Relay: pullwire-relay/${version}`,
      ),
    );
  }

  async upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on('error', destroySelf);
    try {
      this.#options.gate.enter();
    } catch (error) {
      return this.#refuse(error, request, socket);
    }
    await this.#letIn(request, socket, head).finally(() => this.#options.gate.leave());
  }

  async #letIn(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const attempt = attemptKeys(this.#options.remoteAddress(request));
    try {
      this.#checkRoom();
      this.#options.throttle.check(attempt);
      const offered = checkSubprotocols(request);
      const registryVersion = this.#options.registryVersion();
      const admitted = await this.#admit(bearerToken(request), attempt);
      if (socket.destroyed) return;
      this.#checkStaying(); // it may have begun to shut down meanwhile, and would never tell this link
      this.#checkInstances(admitted.identity.device);
      this.#server.handleUpgrade(request, socket, head, (ws) => {
        this.#options.opened({
          ...admitted,
          registryVersion,
          ws,
          socket,
          subprotocol: offered ? (ws.protocol as Subprotocol) : 'pullwire.v1+json',
          remoteAddress: this.#options.remoteAddress(request),
        });
      });
    } catch (error) {
      this.#refuse(error, request, socket);
    }
  }

  async #admit(token: string | undefined, attempt: readonly string[]): Promise<AdmittedLink> {
    try {
      return await this.#options.admit(token);
    } catch (error) {
      if (isFailure(error)) this.#options.throttle.failed(attempt);
      throw error;
    }
  }

  #checkStaying(): void {
    if (!this.#options.draining()) return;
    throw new PullFault('relay-draining', 'lookup', {
      detail: 'the relay is shutting down',
      retryAfterMs: 5_000,
    });
  }

  #checkRoom(): void {
    const { maxLinks, links, gate } = this.#options;
    this.#checkStaying();
    if (links() + gate.underWay > maxLinks) {
      throw new PullFault('relay-full', 'lookup', {
        detail: `the relay holds as many links as it may (limits.links: ${maxLinks})`,
        retryAfterMs: 30_000,
      });
    }
  }

  #checkInstances(device: string): void {
    if (this.#options.linksOf(device) < instanceLimit) return;
    throw new PullFault('relay-full', 'lookup', {
      detail: `the device has ${instanceLimit} links already`,
      retryAfterMs: 30_000,
    });
  }

  #refuse(error: unknown, request: IncomingMessage, socket: Socket): void {
    const fault =
      error instanceof PullFault
        ? error
        : new PullFault('relay-error', 'lookup', { detail: 'the relay failed', cause: error });
    this.#options.refused(fault, this.#options.remoteAddress(request));
    const headers =
      fault.code === 'upgrade-required' ? ['Sec-WebSocket-Protocol', subprotocols.join(', ')] : [];
    answerRaw(
      socket,
      problem(fault, { method: request.method ?? '', answeredBy: 'relay', headers }),
    );
  }
}

/** Whether somebody tried a credential and it was none, or its device dials far too often. */
function isFailure(error: unknown): boolean {
  return error instanceof PullFault && [401, 403, 429].includes(error.status);
}

/** Whether the client offered subprotocols. Throws where none of those offered is known. */
function checkSubprotocols(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol'];
  if (offered === undefined) return false;
  const names = offered.split(',').map((name) => name.trim());
  if (subprotocols.some((known) => names.includes(known))) return true;
  throw new PullFault('upgrade-required', 'lookup', {
    detail: `this relay speaks ${subprotocols.join(' and ')}; offered: ${offered.slice(0, 200)}`,
  });
}

/** Not a closure: it lives as long as the link, and would keep the whole handshake with it. */
function destroySelf(this: Socket): void {
  this.destroy();
}

function bearerToken(request: IncomingMessage): string | undefined {
  const match = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(request.headers.authorization ?? '');
  return match?.[1];
}
