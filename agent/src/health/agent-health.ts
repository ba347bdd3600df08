import { json, LocalServer } from '@pullwire/shared/local-server';
import type { Logger } from 'pino';
import type { AgentConfig } from '../config/agent-config.ts';
import { ControlSocket } from './control-socket.ts';
import { HealthError } from './health-error.ts';
import { type HealthView, healthRoutes } from './health-routes.ts';

/** What of the agent can be asked on this machine. */
export interface AgentView extends HealthView {
  snapshot(): unknown;
}

/** Where the agent can be asked how it is: its control socket, and the port for monitors where there is one. */
export class AgentHealth {
  readonly #listen: AgentConfig['health']['listen'];
  readonly #control: ControlSocket;
  readonly #monitors: LocalServer;
  readonly #logger: Logger;

  constructor(
    { controlSocket, health }: Pick<AgentConfig, 'controlSocket' | 'health'>,
    view: AgentView,
    logger: Logger,
  ) {
    const routes = healthRoutes(view);
    const status = () => json(200, view.snapshot());
    this.#listen = health.listen;
    this.#control = new ControlSocket(controlSocket, { ...routes, '/status': status }, logger);
    this.#monitors = new LocalServer(routes);
    this.#logger = logger;
  }

  /** @throws HealthError where the port for monitors cannot be had. */
  async start(): Promise<void> {
    if (this.#listen !== null) await this.#openPort(this.#listen);
    await this.#control.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#control.stop(), this.#monitors.stop()]);
  }

  async #openPort({ host, port }: NonNullable<AgentConfig['health']['listen']>): Promise<void> {
    try {
      const taken = await this.#monitors.start({ host, port });
      this.#logger.info({ host, port: taken }, 'monitors can ask here');
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const why = code === 'EADDRINUSE' ? 'another process listens there' : (code ?? String(cause));
      const text = `health.listen: cannot listen on ${host}:${port} (${why}); choose another port, or end the other process`;
      throw new HealthError(text, { cause });
    }
  }
}
