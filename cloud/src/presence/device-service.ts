import { PullFault } from '@pullwire/shared';
import type { AuthenticatedCaller, Callers } from '../auth/callers.ts';
import type { Exchange, HttpAnswer } from '../http/exchange.ts';
import { jsonAnswer } from '../http/problem.ts';
import type { Device, LinkRecord, Page, PageRequest } from '../registry/registry.ts';
import type { ProbeResult } from './link-probes.ts';
import { type DevicePresence, type LiveProofOf, presenceOf } from './presence.ts';

/** The registry, and what the host itself knows of live links; failures are `PullFault` `registry-unavailable`. */
export interface DeviceStore {
  device(id: string): Promise<Device | undefined>;
  devices(page: PageRequest): Promise<Page<Device>>;
  /** Forgets the device, its links in the registry, and ends the live ones. */
  remove(id: string): Promise<boolean>;
  readonly proofOf: LiveProofOf;
  /** How often the device went offline in the last hour, as far as the host knows. */
  flapsOf(device: Device): number;
  /** Epoch milliseconds at which this host began to hold links. */
  readonly startedAt: number;
}

/** Has links proven; see `LinkProbes`. */
export interface LinkProver {
  prove(links: readonly LinkRecord[]): Promise<ReadonlyMap<string, ProbeResult>>;
}

export interface DeviceServiceOptions {
  readonly callers: Callers;
  readonly store: DeviceStore;
  readonly probes: LinkProver;
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
    const now = this.#options.wall();
    const devices = items
      .filter((item) => caller.grants.seesDevice(item.record.device, item.record.labels))
      .map((item) => this.#presence(item, now));
    return jsonAnswer(200, {
      asOf: new Date(now).toISOString(),
      devices,
      ...(next === undefined ? undefined : { next }),
    });
  }

  /** With `probe=1` each live link is asked for a sign of life first, for at most some seconds. Throws `PullFault`. */
  async show(exchange: Exchange, id: string, query: string | undefined): Promise<HttpAnswer> {
    const wantsProof = wantsProofOf(query);
    let { device } = await this.#find(exchange, id);
    let probes: ReadonlyMap<string, ProbeResult> | undefined;
    if (wantsProof) {
      probes = await this.#options.probes.prove(this.#liveLinks(device));
      // Meanwhile links may have ended, and the caller's grant too.
      ({ device } = await this.#find(exchange, id));
    }
    const now = this.#options.wall();
    const asOf = new Date(now).toISOString();
    return jsonAnswer(200, { asOf, ...this.#presence(device, now, probes) });
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

  #liveLinks({ record, links }: Device): LinkRecord[] {
    if (record.revokedAt !== undefined) return [];
    return links.filter((link) => this.#options.store.proofOf(link) !== undefined);
  }

  /** As of `now`: no time in it lies after that. */
  #presence(
    device: Device,
    now: number,
    probes?: ReadonlyMap<string, ProbeResult>,
  ): DevicePresence {
    const { store } = this.#options;
    const clock = { now, lostSince: store.startedAt };
    const presence = presenceOf(device, store.proofOf, clock, probes);
    return { ...presence, flaps: store.flapsOf(device) };
  }
}

const nothing = new Uint8Array(0);

function wantsProofOf(query: string | undefined): boolean {
  const probe = new URLSearchParams(query ?? '').get('probe');
  if (probe === null || probe === '1') return probe === '1';
  throw new PullFault('bad-request', 'lookup', { detail: 'probe must be 1, or left out' });
}

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
