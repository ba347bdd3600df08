import { lstat, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { type LocalRoutes, LocalServer } from '@pullwire/shared/local-server';
import type { Logger } from 'pino';

/** `sun_path` of unix(7) has 108 bytes, the last one 0. Node would cut a longer path off. */
export const longestSocketPath = 107;

/**
 * The Unix socket at which `status` asks the running agent. Only the agent's own user and root can. What keeps it from
 * listening is said in the log and ends nothing: pulls do not need it.
 */
export class ControlSocket {
  readonly #path: string;
  readonly #server: LocalServer;
  readonly #logger: Logger;

  constructor(path: string, routes: LocalRoutes, logger: Logger) {
    this.#path = path;
    this.#server = new LocalServer(routes);
    this.#logger = logger;
  }

  /** Takes the place of a socket that nobody listens on any more. Never rejects. */
  async start(): Promise<void> {
    const socket = this.#path;
    try {
      const why = await this.#obstacle();
      if (why !== undefined) return this.#logger.warn({ socket, why }, noStatus);
      await this.#server.start({ path: socket });
    } catch (err) {
      this.#logger.warn({ socket, err }, noStatus);
    }
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }

  /** In words, what is in the way; what an agent that was killed has left is removed. */
  async #obstacle(): Promise<string | undefined> {
    if (Buffer.byteLength(this.#path) > longestSocketPath) {
      return `the path has more than ${longestSocketPath} bytes; set controlSocket to a shorter one`;
    }
    const stats = await lstat(this.#path).catch(() => undefined);
    if (stats === undefined) return undefined;
    if (!stats.isSocket()) return 'something else has this name; set controlSocket to another path';
    if (await isAnswering(this.#path)) {
      return 'another agent with this key and instance runs here; give each its own "instance"';
    }
    await rm(this.#path, { force: true });
    return undefined;
  }
}

const noStatus = 'pullwire-agent status cannot ask this agent';

/** Whether a process listens there. */
function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
