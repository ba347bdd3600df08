import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type IdleRule, TcpConnection } from './tcp-connection.ts';
import { TcpPath } from './tcp-path.ts';

/** An end passes as what it is: each direction has its own. */
const socketOptions = { allowHalfOpen: true, noDelay: true } as const;

/** A TCP relay between whoever dials and a port, of loopback unless told: a path that a test can spoil, each direction by itself. */
export class TcpRelay {
  /** From whoever dials to the target. */
  readonly up = new TcpPath();
  /** From the target to whoever dialled. */
  readonly down = new TcpPath();
  readonly #server: Server;
  readonly #open = new Set<TcpConnection>();
  readonly #targetHost: string;
  #targetPort: number;
  #idle: IdleRule | undefined;
  #refuses = false;
  #port = 0;
  /** Connections that were taken, ever. */
  accepted = 0;

  private constructor(targetPort: number, targetHost: string) {
    this.#targetPort = targetPort;
    this.#targetHost = targetHost;
    this.#server = createServer(socketOptions, (near) => this.#join(near));
  }

  /** Resolves when it listens, on a free port of loopback. */
  static async start(targetPort = 0, targetHost = '127.0.0.1'): Promise<TcpRelay> {
    const relay = new TcpRelay(targetPort, targetHost);
    await relay.#listen();
    return relay;
  }

  /** Where it listens. */
  get port(): number {
    return this.#port;
  }

  /** Connections of which a side is still open. */
  get open(): number {
    return this.#open.size;
  }

  /** Where new connections go from now on. */
  target(port: number): void {
    this.#targetPort = port;
  }

  /** Both directions swallow everything from now on, also of connections to come. */
  blackHole(): void {
    this.up.blackHole();
    this.down.blackHole();
  }

  /** The connections that are open now are holes for ever, in both directions; those to come are not. */
  forget(): void {
    this.up.forget();
    this.down.forget();
  }

  /** Both directions as at the start; connections that lost bytes stay lost. */
  restore(): void {
    this.up.restore();
    this.down.restore();
  }

  /** Ends every connection in an orderly way (FIN), towards both sides. */
  cut(): void {
    for (const connection of this.#open) connection.cut();
  }

  /** Ends every connection with a reset (RST), towards both sides. */
  reset(): void {
    for (const connection of this.#open) connection.reset();
  }

  /** Holds for connections to come. */
  dropIdle(rule: IdleRule | undefined): void {
    this.#idle = rule;
  }

  /** Nobody listens any more (`ECONNREFUSED`); what is open goes on. Resolves when that is so. */
  async refuse(): Promise<void> {
    if (this.#refuses) return;
    this.#refuses = true;
    // `close` waits for connections that are open, but the port is free at once.
    this.#server.close();
  }

  /** Listens again, on the same port. */
  async accept(): Promise<void> {
    if (!this.#refuses) return;
    this.#refuses = false;
    await this.#listen();
  }

  /** Nothing of it is left. */
  async stop(): Promise<void> {
    this.reset();
    await this.refuse();
  }

  #join(near: Socket): void {
    const target = { port: this.#targetPort, host: this.#targetHost };
    const far = connect({ ...target, ...socketOptions });
    const connection = new TcpConnection({ near, far, up: this.up, down: this.down });
    this.accepted += 1;
    this.#open.add(connection);
    connection.start({ idle: this.#idle, ended: () => this.#open.delete(connection) });
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }
}
