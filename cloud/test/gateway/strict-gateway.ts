import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock } from '@pullwire/shared';
import { ClientTraffic, type GatewayEventMap } from './client-traffic.ts';
import { FaultPlan } from './fault-plan.ts';
import { FunctionFleet } from './function-fleet.ts';
import type { GatewayConnection } from './gateway-connection.ts';
import { GatewayCounts } from './gateway-counts.ts';
import { GatewayEvents } from './gateway-event.ts';
import type { GatewayUrls, StrictGatewayOptions } from './gateway-options.ts';
import { gatewayDefaults } from './gateway-switches.ts';
import { Hop } from './hop.ts';
import { InFlight } from './in-flight.ts';
import type { LambdaEmulator } from './lambda-emulator.ts';
import { LinkDoor } from './link-door.ts';
import { ManagementEndpoint } from './management-endpoint.ts';
import { relayManifest } from './manifest.ts';

const stage = 'live';
/** Bytes of a handshake's headers, about. */
const maxHeaderSize = 10 * 1024;

/**
 * A WebSocket API of API Gateway on a free loopback port, as strict as AWS.md says: real sockets in, functions
 * called with events as AWS shapes them, and @connections over HTTP.
 */
export class StrictGateway implements GatewayUrls {
  readonly counts = new GatewayCounts();
  readonly faults = new FaultPlan();
  readonly events = new EventEmitter<GatewayEventMap>();
  readonly linkUrl: string;
  readonly connectionsUrl: string;
  readonly #server: Server;
  readonly #hop: Hop;
  readonly #fleet: FunctionFleet;
  readonly #traffic: ClientTraffic;
  readonly #inFlight = new InFlight();
  readonly #door: LinkDoor;

  private constructor(options: StrictGatewayOptions, server: Server) {
    const { clock = systemClock, delayMs = 0, manifest = relayManifest() } = options;
    const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.linkUrl = `ws://${authority}/${stage}`;
    this.connectionsUrl = `http://${authority}/${stage}`;
    this.#server = server;
    this.#hop = new Hop({ clock, delayMs, seed: options.seed });
    this.#fleet = new FunctionFleet({
      composes: options.functions(this),
      manifest,
      clock,
      hop: this.#hop,
      counts: this.counts,
      maxEnvironments: options.maxEnvironments,
      freezes: options.freezes ?? true,
    });
    const shared = {
      routes: manifest.webSocket.routes,
      shapes: new GatewayEvents(stage, clock),
      counts: this.counts,
      events: this.events,
      invoke: (name: string, event: unknown) => this.#fleet.invoke(name, event),
    };
    this.#traffic = new ClientTraffic({ ...shared, hop: this.#hop, inFlight: this.#inFlight });
    this.#door = new LinkDoor({
      ...shared,
      path: `/${stage}`,
      clock,
      switches: { ...gatewayDefaults, ...options.switches },
      faults: this.faults,
      traffic: this.#traffic,
      authorizer: manifest.webSocket.authorizer,
      identitySources: options.identitySources ?? ['route.request.header.Authorization'],
    });
  }

  /** Listens on a free port of the loopback. Rejects where a function is not in the manifest. */
  static async start(options: StrictGatewayOptions): Promise<StrictGateway> {
    const server = createServer({ keepAliveTimeout: 60_000, maxHeaderSize }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const gateway = new StrictGateway(options, server);
      gateway.#open();
      return gateway;
    } catch (error) {
      server.close();
      throw error;
    }
  }

  /** Open ones, the oldest first. */
  get connections(): readonly GatewayConnection[] {
    return this.#traffic.connections.filter((connection) => connection.open);
  }

  /** Throws where there is none of that id. */
  connection(id: string): GatewayConnection {
    const connection = this.#traffic.find(id);
    if (connection === undefined) throw new Error(`no connection ${id}`);
    return connection;
  }

  /** The function of that name; throws where the test composed none. */
  lambda(name: string): LambdaEmulator {
    return this.#fleet.get(name);
  }

  /** Resolves when no message, invocation or handshake is under way in the gateway. */
  settled(): Promise<void> {
    return this.#inFlight.settled();
  }

  /** TCP gone without a word: the client sees 1006, the gateway nothing until the idle time-out. */
  cut(id: string): void {
    this.connection(id).cut();
  }

  /** Breaks every socket and ends every environment; no `$disconnect` is called any more. */
  async stop(): Promise<void> {
    this.#traffic.stop();
    this.#door.stop();
    this.#fleet.stop();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #open(): void {
    const endpoint = new ManagementEndpoint({
      prefix: `/${stage}/@connections/`,
      hop: this.#hop,
      faults: this.faults,
      counts: this.counts,
      connection: (id) => this.#traffic.find(id),
      send: (connection, bytes) => this.#traffic.send(connection, bytes),
    });
    this.#server.on('request', (request, response) => {
      this.#inFlight.track(endpoint.answer(request, response));
    });
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#inFlight.track(this.#door.dialled(request, socket, head));
    });
  }
}
