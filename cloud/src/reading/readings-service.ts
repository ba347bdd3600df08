import { type Clock, PullFault } from '@pullwire/shared';
import type { AuthenticatedCaller, Callers } from '../auth/callers.ts';
import { preferredType } from '../http/accept.ts';
import type { Exchange } from '../http/exchange.ts';
import { orUnavailable } from '../presence/or-unavailable.ts';
import { checkGrant } from '../pull/pull-grant.ts';
import type { DeviceRecord, Registry } from '../registry/registry.ts';
import { openOrMissing, orStored } from './or-stored.ts';
import { ReadingPages } from './reading-pages.ts';
import type { ReadingReader } from './reading-reader.ts';
import { ReadingStreams } from './reading-streams.ts';
import type { ReadingsAnswer } from './readings-answer.ts';
import { cursorText, latestRequest, nextQuery, readingsRequest } from './readings-request.ts';

export interface ReadingsServiceOptions {
  readonly callers: Callers;
  readonly registry: Pick<Registry, 'deviceRecord'>;
  readonly reader: ReadingReader;
  readonly clock: Clock;
  /** An answer broke off; for the log. */
  failed(device: string, error: unknown): void;
}

const json = 'application/json';
const lines = 'application/x-ndjson';

/** `GET /devices/{device}/readings` and `…/latest`: what a caller may pull with GET, it may read of what was stored. */
export class ReadingsService {
  readonly #options: ReadingsServiceOptions;
  readonly #pages: ReadingPages;
  readonly #streams: ReadingStreams;

  constructor(options: ReadingsServiceOptions) {
    this.#options = options;
    this.#pages = new ReadingPages(options.reader);
    this.#streams = new ReadingStreams(options.clock);
  }

  /** Answers the exchange. Rejects with `PullFault` where nothing was answered. */
  async list(exchange: Exchange, device: string, query: string | undefined): Promise<void> {
    const { caller, record } = await this.#find(exchange, device);
    const request = readingsRequest(query);
    const type = preferredType(exchange.headers, [json, lines] as const) ?? notAcceptable();
    if (request.source !== undefined) {
      checkGrant(caller, record, { device, source: request.source }, 'GET');
    }
    const mayRead = (source: string) =>
      caller.grants.allows(device, record.labels, source, 'GET') === 'allowed';
    const { items, next } = await orStored(this.#pages.read(record, request, mayRead));
    const link = next && ['Link', `<?${nextQuery(query, next)}>; rel="next"`];
    const text =
      type === lines
        ? { begin: '', between: '\n', end: items.length === 0 ? '' : '\n' }
        : {
            begin: `{"asOf":"${this.#now()}","readings":[`,
            between: ',\n',
            end: `]${next === undefined ? '' : `,"next":"${cursorText(next)}"`}}\n`,
          };
    const headers = [...headersOf(type), ...(link ?? [])];
    await this.#send(exchange, caller, { device, headers, items, ...text });
  }

  /** Answers the exchange with one reading. Rejects with `PullFault` where nothing was answered. */
  async latest(exchange: Exchange, device: string, query: string | undefined): Promise<void> {
    const { caller, record } = await this.#find(exchange, device);
    const series = latestRequest(query);
    const type = preferredType(exchange.headers, [json] as const) ?? notAcceptable();
    checkGrant(caller, record, { device, source: series.source }, 'GET');
    const reading = await orStored(this.#options.reader.latest(record, series));
    if (reading === undefined) {
      throw new PullFault('reading-unknown', 'lookup', {
        detail:
          'nothing is stored of this source, path and query: no schedule asks for it, not lately, or its first reading has yet to come',
      });
    }
    const text = { begin: '', between: '', end: '\n' };
    const headers = headersOf(type);
    await this.#send(exchange, caller, { device, headers, items: [reading], ...text });
  }

  /** First of all: who may not know the device, learns nothing from any other mistake. */
  async #find(
    exchange: Exchange,
    device: string,
  ): Promise<{ caller: AuthenticatedCaller; record: DeviceRecord }> {
    const { callers, registry } = this.#options;
    const caller = await callers.authenticate(exchange);
    const record = await orUnavailable(registry.deviceRecord(device));
    if (record === undefined || !caller.grants.seesDevice(device, record.labels)) {
      throw new PullFault('not-found', 'lookup', {
        detail: 'there is no such device, or your key has no grant for it',
      });
    }
    return { caller, record };
  }

  async #send(
    exchange: Exchange,
    caller: AuthenticatedCaller,
    answer: ReadingsAnswer & { readonly device: string },
  ): Promise<void> {
    const { reader } = this.#options;
    if (exchange.method === 'HEAD') {
      exchange.head(200, undefined, answer.headers);
      return exchange.end();
    }
    try {
      await this.#streams.send(exchange, caller, answer, (reading) =>
        openOrMissing(reader, reading),
      );
    } catch (error) {
      if (exchange.headSent) {
        exchange.breakOff();
        this.#options.failed(answer.device, error);
        return;
      }
      exchange.takeBack();
      await orStored(Promise.reject(error));
    }
  }

  #now(): string {
    return new Date(this.#options.clock.wall()).toISOString();
  }
}

function headersOf(type: string): string[] {
  return [
    ...['Content-Type', type, 'Cache-Control', 'no-store', 'Vary', 'Accept'],
    ...['Pullwire-Answered-By', 'relay'],
  ];
}

function notAcceptable(): never {
  const detail = `what is here is ${json} or, of a list, ${lines}, and Accept takes neither`;
  throw new PullFault('not-acceptable', 'lookup', { detail });
}
