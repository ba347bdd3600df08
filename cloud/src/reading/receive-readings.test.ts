import { codecFor, type Reading, type ReadingEntry } from '@pullwire/shared';
import { describe, expect, test } from 'vitest';
import type { NewReading } from './reading.ts';
import { dayMs } from './reading-limit.ts';
import type { QuotaFull } from './reading-quota.ts';
import type { PieceRefusal } from './reading-writer.ts';
import { ReceiveReadings } from './receive-readings.ts';

const now = 100 * dayMs;
const entry: ReadingEntry = {
  ...{ schedule: 's', at: now, source: 'm', path: '/', ms: 1, length: 2 },
  ...{ status: 200, headers: [] },
};
const fault: ReadingEntry = {
  ...{ schedule: 's', at: now + 1, source: 'm', path: '/', ms: 1, length: 0 },
  fault: { code: 'upstream-timeout', detail: 'd' },
};

function bench(verdict?: PieceRefusal, full?: QuotaFull) {
  const counted: number[] = [];
  const put: NewReading[] = [];
  let fails = false;
  const pieces: string[] = [];
  const receiver = new ReceiveReadings({
    wall: () => now,
    quota: {
      take: async (_device, bytes) => {
        if (full === undefined) counted.push(bytes);
        return full;
      },
      giveBack: (_device, bytes) => counted.push(-bytes),
    },
    writer: {
      retentionMs: 30 * dayMs,
      put: async (_device, readings) => {
        if (fails) throw new Error('planted');
        put.push(...readings);
      },
      putPiece: async (device, { index, of }, bytes) => {
        pieces.push(`${device} ${index}/${of} ${Buffer.from(bytes)}`);
      },
      putLastPiece: async (device, { status }, { index, of }, bytes) => {
        pieces.push(`${device} ${index}/${of} ${Buffer.from(bytes)} ${status}`);
        return verdict;
      },
    },
  });
  const receive = (readings: readonly ReadingEntry[], body = '') => {
    const reading: Reading = { action: 'reading', batch: 3, readings, body: Buffer.from(body) };
    return receiver.receive('plant-7', reading);
  };
  const fail = () => {
    fails = true;
  };
  return { put, pieces, counted, receive, fail };
}

describe('a batch of readings', () => {
  test('is stored with each its own part of the bodies', async () => {
    const b = bench();
    const more = { ...entry, at: now - 1, length: 3 };
    expect(await b.receive([entry, fault, more], 'ABcde')).toEqual({ action: 'stored', batch: 3 });
    expect(b.put.map(({ at, body }) => [at - now, Buffer.from(body).toString()])).toEqual([
      [0, 'AB'],
      [1, ''],
      [-1, 'cde'],
    ]);
    expect(b.put[1]).toMatchObject({ fault: fault.fault });
    expect(b.put[0]).not.toHaveProperty('length');
  });

  test.each([
    ['as old as the retention', -30 * dayMs, 'too-old'],
    ['a moment younger', -30 * dayMs + 1, undefined],
    ['a day ahead', dayMs, undefined],
    ['more than that', dayMs + 1, 'in-future'],
    ['out of all time', 2 ** 53 - 1 - now, 'in-future'],
  ])('with one that is %s', async (_name, from, code) => {
    const b = bench();
    const stored = await b.receive([entry, { ...entry, at: now + from }], 'ABcd');
    const refused = code && [{ index: 1, code, detail: expect.any(String) }];
    expect(stored).toEqual({ action: 'stored', batch: 3, ...(refused && { refused }) });
    expect(b.put).toHaveLength(code === undefined ? 2 : 1);
  });

  test('may be a piece', async () => {
    const b = bench();
    const { status: _status, headers: _headers, ...piece } = entry;
    await b.receive([{ ...piece, piece: { index: 0, of: 2 } }], 'AB');
    await b.receive([{ ...entry, piece: { index: 1, of: 2 } }], 'cd');
    expect(b.pieces).toEqual(['plant-7 0/2 AB', 'plant-7 1/2 cd 200']);
    expect(b.put).toEqual([]);
  });

  test.each(['incomplete', 'too-large'] as const)('whose pieces are %s', async (code) => {
    const b = bench(code);
    const stored = await b.receive([{ ...entry, piece: { index: 1, of: 2 } }], 'cd');
    expect(stored).toMatchObject({ refused: [{ index: 0, code, detail: expect.any(String) }] });
  });

  test.each([
    ['ends at 8 MiB', 8_387, 999, undefined],
    ['ends beyond, where all before are as large', 8_389, 999, 'too-large'],
    ['is the last: its siblings are counted', 8_389, 1_000, undefined],
  ])('with a piece that %s', async (_name, length, index, code) => {
    const b = bench();
    const { status: _status, headers: _headers, ...head } = entry;
    const piece = { ...(index === 1_000 ? entry : head), length, piece: { index, of: 1_001 } };
    const refused = code && [{ index: 0, code, detail: expect.any(String) }];
    const stored = await b.receive([piece], 'x'.repeat(length));
    expect(stored).toEqual({ action: 'stored', batch: 3, ...(refused && { refused }) });
    expect(b.pieces).toHaveLength(code === undefined ? 1 : 0);
    expect(b.counted[0] === 0).toBe(code !== undefined);
  });
});

describe('a batch of a device that has a quota', () => {
  test('counts for what is stored of it, and not for what is refused', async () => {
    const b = bench();
    await b.receive([entry, { ...entry, at: now + 3 * dayMs, length: 3 }], 'ABcde');
    expect(b.counted).toEqual([512 + 'sm/'.length + 2]);
  });

  test('is held as a whole where there is no more, in words that the wire takes', async () => {
    const quota = { bytesPerDay: 16 * 1_048_576, retryAfterMs: 900_000.5 };
    const b = bench(undefined, quota);
    const held = await b.receive([entry, fault], 'AB');
    expect(held).toEqual({
      ...{ action: 'held', batch: 3, code: 'quota-full', retryAfterMs: 900_001 },
      detail: expect.stringContaining('16 MiB'),
    });
    expect([b.put, b.pieces]).toEqual([[], []]);
    const codec = codecFor('pullwire.v1+json');
    expect(codec.decodeRelay(codec.encode(held) as string)).toEqual(held);
  });

  test('counts for nothing where it cannot be stored', async () => {
    const b = bench();
    b.fail();
    await expect(b.receive([entry], 'AB')).rejects.toThrow('planted');
    expect(b.counted).toEqual([517, -517]);
  });
});
