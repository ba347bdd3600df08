import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { Callers } from '../auth/callers.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ReadingReader } from '../reading/reading-reader.ts';
import type { ReadingsService } from '../reading/readings-service.ts';
import type { Registry } from '../registry/registry.ts';

export interface LateReadingsParts {
  readonly callers: Callers;
  readonly registry: Pick<Registry, 'deviceRecord'>;
  reader(): Promise<ReadingReader>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Seldom needed: loaded with the first who asks for readings, not at each cold start. */
export class LateReadings implements Pick<ReadingsService, 'list' | 'latest'> {
  readonly #parts: LateReadingsParts;
  #service: ReadingsService | undefined;

  constructor(parts: LateReadingsParts) {
    this.#parts = parts;
  }

  async list(exchange: Exchange, device: string, query: string | undefined): Promise<void> {
    this.#service ??= await this.#load();
    await this.#service.list(exchange, device, query);
  }

  async latest(exchange: Exchange, device: string, query: string | undefined): Promise<void> {
    this.#service ??= await this.#load();
    await this.#service.latest(exchange, device, query);
  }

  async #load(): Promise<ReadingsService> {
    const { ReadingsService } = await import('../reading/readings-service.ts');
    const { callers, registry, clock, log } = this.#parts;
    const reader = await this.#parts.reader();
    return new ReadingsService({
      ...{ callers, registry, reader, clock },
      failed: (device, err) => log.warn({ device, err }, 'an answer with readings broke off'),
    });
  }
}
