import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '@pullwire/shared';
import type { ClientTraffic, GatewayEventMap } from './client-traffic.ts';
import type { FaultPlan } from './fault-plan.ts';
import { type CallerIdentity, GatewayConnection } from './gateway-connection.ts';
import type { GatewayCounts } from './gateway-counts.ts';
import { Handshake, type HandshakeOptions } from './handshake.ts';
import { HandshakeRefusal } from './handshake-refusal.ts';
import { UpgradeDoor } from './upgrade-door.ts';

export interface LinkDoorOptions extends HandshakeOptions {
  /** Of the only address that is answered. */
  readonly path: string;
  readonly clock: Clock;
  readonly faults: FaultPlan;
  readonly counts: GatewayCounts;
  readonly traffic: ClientTraffic;
  readonly events: EventEmitter<GatewayEventMap>;
}

/** Lets clients in: each handshake is held until the authorizer and `$connect` have answered. */
export class LinkDoor {
  readonly #options: LinkDoorOptions;
  readonly #handshake: Handshake;
  readonly #door: UpgradeDoor;

  constructor(options: LinkDoorOptions) {
    this.#options = options;
    this.#handshake = new Handshake(options);
    this.#door = new UpgradeDoor(options);
  }

  /** Resolves when the handshake is answered, one way or the other. */
  async dialled(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { clock, switches, traffic, counts, events } = this.#options;
    const connection = new GatewayConnection(identityOf(request), clock, switches, traffic);
    traffic.add(connection);
    this.#door.hold(socket);
    try {
      this.#check(request);
      const subprotocol = await this.#handshake.admit(connection, request);
      const accepted = this.#door.accept(request, socket, head, subprotocol);
      if (accepted === undefined) return connection.abandon();
      connection.accept(accepted, socket);
      counts.opened += 1;
      events.emit('open', connection);
    } catch (error) {
      traffic.remove(connection);
      counts.refused += 1;
      if (!(error instanceof HandshakeRefusal)) throw error;
      this.#door.refuse(socket, error, connection.id);
    }
  }

  stop(): void {
    this.#door.stop();
  }

  #check(request: IncomingMessage): void {
    const planned = this.#options.faults.upgrade();
    if (planned !== undefined) throw new HandshakeRefusal(planned, 'Too Many Requests');
    const [path] = (request.url ?? '').split('?');
    if (path !== this.#options.path) throw new HandshakeRefusal(403, 'Forbidden');
  }
}

function identityOf(request: IncomingMessage): CallerIdentity {
  const sourceIp = request.socket.remoteAddress ?? '';
  const userAgent = request.headers['user-agent'];
  return userAgent === undefined ? { sourceIp } : { sourceIp, userAgent };
}
