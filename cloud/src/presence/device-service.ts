import { PullFault } from '@pullwire/shared';
import type { AuthenticatedCaller, Callers } from '../auth/callers.ts';
import type { Exchange, HttpAnswer } from '../http/exchange.ts';
import { jsonAnswer } from '../http/problem.ts';
import type { Device, Page, PageRequest } from '../registry/registry.ts';
import { type DevicePresence, type LiveProofOf, presenceOf } from './presence.ts';

/** The registry, and what the host itself knows of live links; failures are `PullFault` `registry-unavailable`. */
export interface DeviceStore {
  device(id: string): Promise<Device | undefined>;
  devices(page: PageRequest): Promise<Page<Device>>;
  /** Forgets the device, its links in the registry, and ends the live ones. */
  remove(id: string): Promise<boolean>;
  readonly proofOf: LiveProofOf;
  /** Epoch milliseconds at which this host began to hold links. */
  readonly startedAt: number;
}

export interface DeviceServiceOptions {
  readonly callers: Callers;
  readonly store: DeviceStore;
  wall(): number;
}

const defaultPage = 100;
const longestPage = 1_000;

/** `GET /devices`, `GET|DELETE /devices/{device}`: a caller sees only what it may pull. */
export class DeviceService {
  readonly #options: DeviceServiceOptions;

  constructor(options: DeviceServiceOptions) {
    this.#options = options;
  }

  /** Throws `PullFault`. `next` is the `after` of the following page. */
  async list(exchange: Exchange, query: string | undefined): Promise<HttpAnswer> {
    const caller = await this.#options.callers.authenticate(exchange);
    const { items, next } = await this.#options.store.devices(pageOf(query));
    const devices = items
      .filter((item) => caller.grants.seesDevice(item.record.device, item.record.labels))
      .map((item) => this.#presence(item));
    return jsonAnswer(200, {
      asOf: new Date(this.#options.wall()).toISOString(),
      devices,
      ...(next === undefined ? undefined : { next }),
    });
  }

  async show(exchange: Exchange, id: string): Promise<HttpAnswer> {
    const { device } = await this.#find(exchange, id);
    const asOf = new Date(this.#options.wall()).toISOString();
    return jsonAnswer(200, { asOf, ...this.#presence(device) });
  }

  async remove(exchange: Exchange, id: string): Promise<HttpAnswer> {
    const { caller, device } = await this.#find(exchange, id);
    if (!caller.grants.managesDevice(id, device.record.labels)) {
      throw new PullFault('method-not-granted', 'grant', {
        detail: 'your key may not delete devices (pullwire-relay key add --manage)',
      });
    }
    await this.#options.store.remove(id);
    return { status: 204, headers: ['Pullwire-Answered-By', 'relay'], body: nothing };
  }

  async #find(
    exchange: Exchange,
    id: string,
  ): Promise<{ caller: AuthenticatedCaller; device: Device }> {
    const caller = await this.#options.callers.authenticate(exchange);
    const device = await this.#options.store.device(id);
    if (device === undefined || !caller.grants.seesDevice(id, device.record.labels)) {
      throw new PullFault('not-found', 'lookup', {
        detail: 'there is no such device, or your key has no grant for it',
      });
    }
    return { caller, device };
  }

  #presence(device: Device): DevicePresence {
    const { store, wall } = this.#options;
    return presenceOf(device, store.proofOf, { now: wall(), lostSince: store.startedAt });
  }
}

const nothing = new Uint8Array(0);

function pageOf(query: string | undefined): PageRequest {
  const params = new URLSearchParams(query ?? '');
  const after = params.get('after');
  const limit = Number(params.get('limit') ?? defaultPage);
  if (!Number.isInteger(limit) || limit < 1 || limit > longestPage) {
    throw new PullFault('bad-request', 'lookup', {
      detail: `limit must be a whole number from 1 to ${longestPage}`,
    });
  }
  return { limit, ...(after === null ? undefined : { after }) };
}
