import type { PullFault } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { expect, test } from 'vitest';
import type { RequestBodySink } from '../http/exchange.ts';
import { arrivedRequest } from './arriving-request.ts';
import type { PieceStream } from './piece-stream.ts';

/** A caller whose body comes as the test says, and a disk that takes it when the test lets it. */
class Bench {
  readonly clock = new ManualClock();
  readonly seen: string[] = [];
  readonly stored = Promise.withResolvers<void>();
  content: PieceStream | undefined;
  sink!: RequestBodySink;
  readonly arrived: ReturnType<typeof arrivedRequest>;
  fault: PullFault | undefined;

  constructor(length?: number) {
    this.arrived = arrivedRequest({
      incoming: {
        body: {
          length,
          deliverTo: (sink) => {
            this.sink = sink;
          },
          resume: () => this.seen.push('resume'),
          pause: () => this.seen.push('pause'),
        },
        expectsContinue: true,
        proceed: () => this.seen.push('proceed'),
      },
      smallBytes: 10,
      mostBytes: 1_000_000,
      clock: this.clock,
      store: (bytes, content) => {
        this.seen.push(`store ${bytes}`);
        this.content = content;
        return this.stored.promise;
      },
    });
    this.arrived.catch((error: PullFault) => {
      this.fault = error;
    });
  }

  get code(): Promise<string> {
    return this.arrived.then(
      () => 'arrived',
      ({ code }: PullFault) => code,
    );
  }
}

test('a small body is kept in memory; none is asked for before it is wanted', async () => {
  const bench = new Bench(4);
  expect(bench.seen).toEqual(['proceed', 'resume']);
  bench.sink.chunk(Buffer.from('ab'));
  bench.sink.chunk(Buffer.from('cd'));
  bench.sink.end([]);
  expect(await bench.arrived).toEqual({ bytes: 4, body: Buffer.from('abcd') });
  expect(bench.clock.pending).toBe(0);
  expect(await new Bench(0).arrived).toEqual({ bytes: 0, body: new Uint8Array(0) });
});

test('a large one goes to the disk, which sets the pace', async () => {
  const bench = new Bench(500_000);
  bench.sink.chunk(Buffer.alloc(200_000));
  bench.sink.chunk(Buffer.alloc(100_000));
  expect(bench.seen).toEqual(['proceed', 'resume', 'store 500000', 'pause']);
  const taken: number[] = [];
  const reading = (async () => {
    for await (const piece of bench.content ?? []) taken.push(piece.length);
  })();
  await expect.poll(() => bench.seen.at(-1)).toBe('resume');
  bench.sink.chunk(Buffer.alloc(200_000));
  bench.sink.end([]);
  await reading;
  bench.stored.resolve();
  expect(await bench.arrived).toEqual({ bytes: 500_000 });
  expect(taken).toEqual([200_000, 100_000, 200_000]);
});

test('one that is too large is refused, by its length or as it comes', async () => {
  expect(await new Bench(1_000_001).code).toBe('request-body-too-large');
  const bench = new Bench();
  bench.sink.chunk(Buffer.alloc(600_000));
  expect(bench.seen).toContain('store 1000000');
  bench.sink.chunk(Buffer.alloc(600_000));
  expect(await bench.code).toBe('request-body-too-large');
  await expect(bench.content?.[Symbol.asyncIterator]().next()).rejects.toBe(bench.fault);
});

test('one that breaks off, or stands still, leaves nothing', async () => {
  const broken = new Bench(50);
  broken.sink.chunk(Buffer.alloc(20));
  broken.sink.broken();
  expect(await broken.code).toBe('request-body-broken');
  await expect(broken.content?.[Symbol.asyncIterator]().next()).rejects.toBe(broken.fault);
  const still = new Bench(50);
  still.sink.chunk(Buffer.alloc(5));
  still.clock.advance(19_999);
  still.sink.chunk(Buffer.alloc(1));
  still.clock.advance(19_999);
  expect(still.fault).toBeUndefined();
  still.clock.advance(1);
  expect(await still.code).toBe('request-timeout');
  expect(still.clock.pending).toBe(0);
});

test('one that comes a byte at a time ends after ten minutes', async () => {
  const bench = new Bench(500);
  for (let minute = 0; minute < 10; minute += 1) {
    for (const _ of [1, 2, 3, 4]) {
      bench.sink.chunk(Buffer.alloc(1));
      bench.clock.advance(15_000);
    }
  }
  expect(await bench.code).toBe('request-timeout');
});

test('a disk that takes nothing refuses it', async () => {
  const bench = new Bench(50);
  bench.sink.chunk(Buffer.alloc(20));
  bench.stored.reject(new Error('no room'));
  await expect(bench.arrived).rejects.toThrow('no room');
});
