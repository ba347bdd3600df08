import type { EventEmitter } from 'node:events';
import type { ConnectionListener, GatewayConnection } from './gateway-connection.ts';
import type { GatewayCounts } from './gateway-counts.ts';
import type { GatewayEvents } from './gateway-event.ts';
import type { Hop } from './hop.ts';
import type { InFlight } from './in-flight.ts';
import type { ManifestRoute } from './manifest.ts';
import { MessageRouter } from './message-router.ts';

export interface GatewayEventMap {
  /** After the 101. */
  open: [GatewayConnection];
  /** The gateway knows that it is gone; close code and reason. */
  gone: [GatewayConnection, number, string];
  /** A run of the `$disconnect` function is over, well or not. */
  disconnected: [GatewayConnection];
  /** A client's message arrived, and is on its way to its route. */
  message: [GatewayConnection, string];
  /** What was posted or answered leaves for the client. */
  delivered: [GatewayConnection, string];
}

export interface ClientTrafficOptions {
  readonly routes: Readonly<Record<string, ManifestRoute>>;
  readonly shapes: GatewayEvents;
  readonly counts: GatewayCounts;
  readonly hop: Hop;
  readonly inFlight: InFlight;
  readonly events: EventEmitter<GatewayEventMap>;
  invoke(name: string, event: unknown): Promise<unknown>;
}

/** How often a seed loses a `$disconnect`, which is best effort. */
const lostDisconnects = 0.1;

/** What goes between clients and functions: messages up, posts down, and the last word of each connection. */
export class ClientTraffic implements ConnectionListener {
  readonly #options: ClientTrafficOptions;
  readonly #router: MessageRouter;
  readonly #connections = new Map<string, GatewayConnection>();
  #stopped = false;

  constructor(options: ClientTrafficOptions) {
    this.#options = options;
    const { routes, shapes, counts, invoke } = options;
    this.#router = new MessageRouter({
      routes,
      shapes,
      counts,
      invoke,
      send: (connection, text) => this.send(connection, Buffer.from(text)),
    });
  }

  /** Those in their `$connect` too. */
  get connections(): readonly GatewayConnection[] {
    return [...this.#connections.values()];
  }

  find(id: string): GatewayConnection | undefined {
    return this.#connections.get(id);
  }

  add(connection: GatewayConnection): void {
    this.#connections.set(connection.id, connection);
  }

  /** Forgets it without a `$disconnect`: its `$connect` refused it. */
  remove(connection: GatewayConnection): void {
    connection.discard();
    this.#connections.delete(connection.id);
  }

  /** To the client, over the network; billed. */
  send(connection: GatewayConnection, bytes: Buffer): void {
    const { counts, hop, inFlight } = this.#options;
    counts.bill(bytes.length);
    connection.touch();
    for (const arrival of hop.message()) {
      inFlight.track(arrival.then(() => this.#deliver(connection, bytes)));
    }
  }

  #deliver(connection: GatewayConnection, bytes: Buffer): void {
    this.#options.events.emit('delivered', connection, bytes.toString('utf8'));
    connection.send(bytes);
  }

  received(connection: GatewayConnection, text: string): void {
    const { counts, hop, inFlight, events } = this.#options;
    events.emit('message', connection, text);
    counts.messages += 1;
    counts.bill(Buffer.byteLength(text));
    for (const arrival of hop.message()) {
      inFlight.track(arrival.then(() => this.#router.route(connection, text)));
    }
  }

  gone(connection: GatewayConnection, status: number, reason: string): void {
    const { routes, shapes, events, hop, inFlight } = this.#options;
    this.#connections.delete(connection.id);
    if (this.#stopped) return;
    events.emit('gone', connection, status, reason);
    const name = routes['$disconnect']?.function;
    if (name === undefined || hop.chance(lostDisconnects)) return;
    const event = shapes.disconnect(connection, status, reason);
    for (const arrival of hop.message()) {
      inFlight.track(arrival.then(() => this.#disconnect(connection, name, event)));
    }
  }

  /** Breaks every socket; no `$disconnect` is called any more. */
  stop(): void {
    this.#stopped = true;
    for (const connection of this.#connections.values()) connection.discard();
    this.#connections.clear();
  }

  async #disconnect(connection: GatewayConnection, name: string, event: unknown): Promise<void> {
    const { invoke, events } = this.#options;
    // Nobody is told of a failure: it stands in the function's log.
    await invoke(name, event).catch(() => {});
    events.emit('disconnected', connection);
  }
}
