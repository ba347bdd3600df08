import { type ErrorCode, PullFault } from '@pullwire/shared';
import type { Enrolment } from '../enroll/enrolment.ts';
import type { DeviceService } from '../presence/device-service.ts';
import type { EventService } from '../presence/event-service.ts';
import type { PullService } from '../pull/pull-service.ts';
import type { RequestUploads } from '../pull/request-uploads.ts';
import type { PullQueue } from '../queue/pull-queue.ts';
import type { ReadingsService } from '../reading/readings-service.ts';
import type { Exchange, HttpAnswer } from './exchange.ts';
import { jsonAnswer, problem } from './problem.ts';
import { type Route, routeMethods, routeOf } from './routes.ts';

/** Whether the host can do its work now. */
export interface Readiness {
  readonly ready: boolean;
  /** For people: what is missing. Where it is ready all the same, what it does without. */
  readonly why?: string | undefined;
}

export interface FrontOptions {
  readonly pulls: Pick<PullService, 'start'>;
  readonly devices: Pick<DeviceService, 'list' | 'show' | 'remove'>;
  readonly readings: Pick<ReadingsService, 'list' | 'latest'>;
  readonly events: Pick<EventService, 'open'>;
  readonly enrolments: Pick<Enrolment, 'enrol'>;
  readonly queue: Pick<PullQueue, 'show' | 'result' | 'cancel'>;
  /** Undefined where the host takes request bodies as they are. */
  readonly uploads?: Pick<RequestUploads, 'issue'>;
  readiness(): Readiness;
  /** A mistake of ours, for the log. */
  failed(error: unknown): void;
}

/** The one door of the HTTP surface: both hosts route every request through it. */
export class Front {
  readonly #options: FrontOptions;

  constructor(options: FrontOptions) {
    this.#options = options;
  }

  /** Answers the exchange, at once or later; never throws. */
  handle(exchange: Exchange): void {
    const route = routeOf(exchange.target);
    if (route.name === 'pull') return this.#options.pulls.start(exchange, route);
    this.#answer(exchange, route).then(
      (answer) => {
        if (answer !== undefined) exchange.answer(answer);
      },
      (error: unknown) => this.#fail(exchange, error),
    );
  }

  /** Undefined where somebody else answers. */
  async #answer(exchange: Exchange, route: Route): Promise<HttpAnswer | undefined> {
    const { uploads } = this.#options;
    if (route.name === 'uploads' && uploads === undefined) return this.#noUploads(exchange);
    const methods = routeMethods[route.name];
    if (methods !== undefined && !methods.includes(exchange.method)) {
      return this.#refuse(exchange, 'method-not-allowed', `use ${methods.join(', ')}`, [
        'Allow',
        methods.join(', '),
      ]);
    }
    switch (route.name) {
      case 'devices':
        return this.#options.devices.list(exchange, route.query);
      case 'device':
        return exchange.method === 'DELETE'
          ? this.#options.devices.remove(exchange, route.device)
          : this.#options.devices.show(exchange, route.device, route.query);
      case 'readings':
        await this.#options.readings.list(exchange, route.device, route.query);
        return undefined;
      case 'latest-reading':
        await this.#options.readings.latest(exchange, route.device, route.query);
        return undefined;
      case 'events':
        await this.#options.events.open(exchange, route.query);
        return undefined;
      case 'queuedPull':
        return exchange.method === 'DELETE'
          ? this.#options.queue.cancel(exchange, route)
          : this.#options.queue.show(exchange, route);
      case 'pullResult':
        return this.#options.queue.result(exchange, route);
      case 'uploads':
        return uploads === undefined ? this.#noUploads(exchange) : uploads.issue(exchange);
      case 'enroll':
        return this.#options.enrolments.enrol(exchange);
      case 'live':
        return jsonAnswer(200, { status: 'live' });
      case 'ready':
        return this.#ready();
      case 'link':
        return this.#refuse(exchange, 'upgrade-required', 'dial with a WebSocket client', [
          'Upgrade',
          'websocket',
        ]);
      case 'malformed':
        return this.#refuse(exchange, 'bad-request', 'the path is not one of this API');
      case 'unknown':
      case 'pull':
        return this.#refuse(
          exchange,
          'route-unknown',
          'see /devices, /devices/{device}/sources/{source}/{path} and /pulls/{id}',
        );
    }
  }

  #noUploads(exchange: Exchange): HttpAnswer {
    const detail = 'this relay has no uploads: a body is sent with its request';
    return this.#refuse(exchange, 'route-unknown', detail);
  }

  #ready(): HttpAnswer {
    const { ready, why } = this.#options.readiness();
    if (!ready) return jsonAnswer(503, { status: 'not-ready', why });
    // Whoever takes it for down would take the links away that still serve.
    return jsonAnswer(200, why === undefined ? { status: 'ready' } : { status: 'degraded', why });
  }

  #refuse(
    exchange: Exchange,
    code: ErrorCode,
    detail: string,
    headers: readonly string[] = [],
  ): HttpAnswer {
    const fault = new PullFault(code, 'lookup', { detail });
    return problem(fault, { method: exchange.method, answeredBy: 'relay', headers });
  }

  #fail(exchange: Exchange, error: unknown): void {
    const known = error instanceof PullFault;
    if (!known) this.#options.failed(error);
    const fault = known
      ? error
      : new PullFault('relay-error', 'lookup', { detail: 'the relay failed; its log says why' });
    exchange.answer(problem(fault, { method: exchange.method, answeredBy: 'relay' }));
  }
}
