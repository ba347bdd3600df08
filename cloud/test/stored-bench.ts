import { type HeaderList, PullFault } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import type { AuthenticatedCaller, GrantVerdict } from '../src/auth/callers.ts';
import type { Exchange } from '../src/http/exchange.ts';
import { problem } from '../src/http/problem.ts';
import { routeOf } from '../src/http/routes.ts';
import type { StoredAnswerGiven } from '../src/offline/stored-answer-given.ts';
import { StoredPulls } from '../src/offline/stored-pulls.ts';
import type { PullRefusal } from '../src/pull/pull-service.ts';
import type { StoredReading } from '../src/reading/reading.ts';
import { FakeExchange, type FakeExchangeInit } from './fake-exchange.ts';

/** The clock of a bench begins here, in epoch milliseconds. */
const start = Date.UTC(2026, 10, 28, 20, 0, 0);

export interface StoredBenchInit {
  /** What the device does with a pull. */
  device?(exchange: Exchange): void;
  /** What is stored of the device; undefined: nothing. */
  readonly reading?: StoredReading | undefined;
  /** In place of the reading. */
  latest?(): Promise<StoredReading | undefined>;
  open?(): Promise<AsyncIterable<Uint8Array>>;
  allows?(source: string, method: string): GrantVerdict;
  readonly deny?: PullFault;
  readonly isKnown?: boolean;
  readonly pullsPerCaller?: number;
}

/** Stored answers with a store, a device and callers that are the test's. */
export class StoredBench {
  readonly clock = new ManualClock();
  /** Requests that reached the device, as the pulls saw them. */
  readonly asked: Exchange[] = [];
  readonly looked: unknown[] = [];
  readonly given: StoredAnswerGiven[] = [];
  readonly refusals: PullRefusal[] = [];
  readonly failures: unknown[] = [];
  readonly #pulls: StoredPulls;

  constructor(init: StoredBenchInit = {}) {
    const grants = {
      allows: (_: string, __: object, source: string, method: string) =>
        init.allows?.(source, method) ?? 'allowed',
      uploads: () => 'allowed' as const,
      seesDevice: () => true,
      managesDevice: () => false,
    };
    const caller: AuthenticatedCaller = {
      id: 'k',
      name: 'ops',
      grants,
      credential: 'pullwire-key',
    };
    this.#pulls = new StoredPulls({
      pulls: {
        start: (exchange) => {
          this.asked.push(exchange);
          (init.device ?? answers(200))(exchange);
        },
      },
      callers: {
        authenticate: () => {
          if (init.deny !== undefined) throw init.deny;
          return caller;
        },
      },
      registry: {
        deviceRecord: async (device) =>
          init.isKnown === false ? undefined : { device, publicKey: '', labels: {}, createdAt: 0 },
      },
      reader: () => ({
        latest: async ({ device }, ...question) => {
          this.looked.push([device, ...question]);
          return init.latest === undefined ? init.reading : init.latest();
        },
        open: async () => {
          if (init.open === undefined) throw new Error('there is no object');
          return init.open();
        },
      }),
      clock: { ...timersOf(this.clock), wall: () => start + this.clock.wall() },
      pullsPerCaller: init.pullsPerCaller,
      given: (answer) => this.given.push(answer),
      refused: (refusal) => this.refusals.push(refusal),
      failed: (_, error) => this.failures.push(error),
    });
  }

  /** A request; resolves when it is answered, or broken off. */
  async ask(cacheControl: string | undefined, init: FakeExchangeInit = {}): Promise<FakeExchange> {
    const exchange = this.begin(cacheControl, init);
    while (!exchange.ended && !exchange.broken) await new Promise(setImmediate);
    return exchange;
  }

  /** The same, not waited for. */
  begin(cacheControl: string | undefined, init: FakeExchangeInit = {}): FakeExchange {
    const said = cacheControl === undefined ? [] : ['Cache-Control', cacheControl];
    const exchange = new FakeExchange({ ...init, headers: [...said, ...(init.headers ?? [])] });
    const route = routeOf(exchange.target);
    if (route.name !== 'pull') throw new Error('not a pull');
    this.#pulls.start(exchange, route);
    return exchange;
  }
}

/** A reading of that age, in seconds. */
export function readingOf(
  ageSeconds: number,
  headers: HeaderList = [],
  changes: Partial<StoredReading> = {},
): StoredReading {
  const at = start - ageSeconds * 1_000;
  return {
    ...{ device: 'plant-7', schedule: 'every-minute', source: 'metrics', path: '/m' },
    ...{ at, receivedAt: at, expiresAt: start, ms: 12, status: 200, isText: true, objects: 0 },
    headers: ['Content-Type', 'text/plain', ...headers],
    length: 6,
    body: Buffer.from('stored'),
    ...changes,
  };
}

/** A device, or what is behind it, that answers with this status. */
export function answers(status: number): (exchange: Exchange) => void {
  return (exchange) => {
    exchange.head(status, undefined, ['X-From', 'device', 'Pullwire-Pull', 'p1']);
    exchange.end(Buffer.from('device'));
  };
}

/** A device that has no link. */
export function isOff(exchange: Exchange): void {
  const fault = new PullFault('device-offline', 'lookup', { detail: 'off' });
  exchange.answer(problem(fault, { method: exchange.method, answeredBy: 'relay' }));
}

export function headerOf(exchange: FakeExchange, name: string): string | undefined {
  const at = exchange.answerHeaders.findIndex(
    (text, index) => index % 2 === 0 && text.toLowerCase() === name,
  );
  return at === -1 ? undefined : exchange.answerHeaders[at + 1];
}

function timersOf(clock: ManualClock) {
  return {
    monotonic: () => clock.monotonic(),
    after: (ms: number, run: () => void) => clock.after(ms, run),
  };
}
