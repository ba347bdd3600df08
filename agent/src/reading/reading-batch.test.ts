import {
  codecFor,
  frameLimits,
  type Reading,
  type Subprotocol,
  subprotocols,
} from '@pullwire/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SpoolRow } from '../spool/spool-reading.ts';
import { LargeReading } from './large-reading.ts';
import { type BatchFrame, batchOf, messageEntries } from './reading-batch.ts';

const frames: readonly BatchFrame[] = subprotocols.map((subprotocol) => ({
  subprotocol,
  limits: frameLimits[subprotocol],
}));

function row(id: number, bytes: number, headers: readonly string[] = []): SpoolRow {
  const entry = { schedule: 'a', at: id, source: 's', path: '/m', ms: 1, status: 200, headers };
  return { id, entry, body: Buffer.alloc(bytes, id) };
}

/** Bytes of the frame; throws where it cannot be sent, or is not read as it was written. */
function frameBytes(subprotocol: Subprotocol, message: Reading): number {
  const codec = codecFor(subprotocol);
  const frame = codec.encode(message);
  const data = typeof frame === 'string' ? frame : Buffer.concat(frame);
  expect(codec.decodeAgent(data)).toStrictEqual(message);
  return Buffer.byteLength(data);
}

function messageOf(rows: readonly SpoolRow[]): Reading {
  const body = Buffer.concat(rows.map((one) => one.body));
  const readings = messageEntries(rows);
  const whole = { action: 'reading', batch: Number.MAX_SAFE_INTEGER, readings } as const;
  return body.length === 0 ? whole : { ...whole, body };
}

describe.each(frames)('a batch for $subprotocol', (frame) => {
  const { subprotocol, limits } = frame;

  it('holds as many small readings as a frame takes, and no more', () => {
    const rows = Array.from({ length: 400 }, (_, id) => row(id, 200));
    const batch = batchOf(rows, frame, 1e9);
    expect(frameBytes(subprotocol, messageOf(batch))).toBeLessThanOrEqual(limits.frameBytes);
    const full = subprotocol === 'pullwire.v1+json' ? 50 : 190;
    expect(batch.length).toBeGreaterThan(full);
    expect(batch.length).toBeLessThanOrEqual(256);
  });

  it('holds no more than the pace allows, and one at least', () => {
    const rows = Array.from({ length: 100 }, (_, id) => row(id, 200));
    expect(batchOf(rows, frame, 3_000).length).toBeLessThan(12);
    expect(batchOf(rows, frame, 3_000).length).toBeGreaterThan(4);
    expect(batchOf(rows, frame, 1)).toHaveLength(1);
  });

  it('holds 256 of the smallest', () => {
    const rows = Array.from({ length: 300 }, (_, id) => row(id, 0));
    const narrow = { ...frame, limits: { ...limits, frameBytes: 1_000_000 } };
    expect(batchOf(rows, narrow, 1e9).length).toBeLessThanOrEqual(256);
    frameBytes(subprotocol, messageOf(batchOf(rows, frame, 1e9)));
  });

  it('ends before a reading that needs messages of its own', () => {
    const rows = [row(1, 100), row(2, limits.bodyBytes + 1), row(3, 100)];
    expect(batchOf(rows, frame, 1e9)).toHaveLength(1);
    expect(batchOf(rows.slice(1), frame, 1e9)).toHaveLength(0);
  });

  it('can be sent, whatever is in it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', 'é', '\\', '1'), maxLength: 900 });
    const anyRow = fc.tuple(fc.nat({ max: 30_000 }), fc.array(text, { maxLength: 6 }));
    fc.assert(
      fc.property(fc.array(anyRow, { minLength: 1, maxLength: 40 }), (many) => {
        const rows = many.map(([bytes, values], id) =>
          row(
            id,
            bytes,
            values.flatMap((value) => ['X-Name', value]),
          ),
        );
        const batch = batchOf(rows, frame, 1e9);
        if (batch.length > 0) frameBytes(subprotocol, messageOf(batch));
      }),
      { numRuns: 200 },
    );
  });

  it('of one piece each brings a large reading, status and headers with the last', () => {
    const long = Array.from({ length: 16 }, () => ['X', '"'.repeat(500)]).flat();
    for (const headers of [[], ['Content-Type', 'text/plain'], long]) {
      const large = row(7, limits.bodyBytes * 3 + 17, headers);
      const cut = LargeReading.cut(large, frame);
      const bodies: Uint8Array[] = [];
      for (let piece = cut?.next(); piece !== undefined; piece = cut?.next()) {
        const { entry, body, index } = piece;
        expect(entry.piece?.index).toBe(bodies.length);
        expect(entry.status).toBe(index + 1 === entry.piece?.of ? 200 : undefined);
        frameBytes(subprotocol, {
          action: 'reading',
          batch: 9_999,
          readings: [entry],
          body: Buffer.from(body),
        });
        bodies.push(body);
        cut?.sent();
        expect(cut?.stored(index)).toBe(index + 1 === entry.piece?.of);
      }
      expect(Buffer.concat(bodies).equals(large.body)).toBe(true);
    }
  });

  it('brings 8 MiB in fewer than 1,024 pieces', () => {
    expect(LargeReading.cut(row(1, 8_388_608), frame)?.next()?.entry.piece?.of).toBeLessThan(500);
  });

  it('brings nothing where the relay takes next to nothing', () => {
    const narrow = { ...frame, limits: { ...limits, bodyBytes: 100 } };
    expect(LargeReading.cut(row(1, 1_000_000), narrow)).toBeUndefined();
  });
});

describe('the last piece of a large reading', () => {
  it('waits until all the others are stored; one in doubt goes again before it', () => {
    const frame = {
      subprotocol: 'pullwire.v1+bin',
      limits: { frameBytes: 98_304, bodyBytes: 10 },
    } as const;
    const cut = LargeReading.cut(row(1, 30), frame);
    const next = (): number | undefined => {
      const index = cut?.next()?.index;
      if (index !== undefined) cut?.sent();
      return index;
    };
    expect([next(), next(), next()]).toEqual([0, 1, undefined]);
    cut?.stored(1);
    expect(next()).toBeUndefined();
    cut?.doubtful(0);
    expect([next(), next()]).toEqual([0, undefined]);
    cut?.stored(0);
    expect([next(), next()]).toEqual([2, undefined]);
    expect(cut?.stored(2)).toBe(true);
  });
});
