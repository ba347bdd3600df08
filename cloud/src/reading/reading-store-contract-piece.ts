import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import type { StoredReading } from './reading.ts';
import { reading } from './reading-sample.ts';
import { bodyOf, ownerOf, type ReadingBench, readRange } from './reading-store-contract-bench.ts';

const time = { at: 1_000_000, schedule: 'every-minute' };

export function pieceContract(bench: () => ReadingBench): void {
  const { body: _, ...head } = reading();

  /** Sends these pieces, each in its place. */
  const send = (index: number, of: number, bytes: Uint8Array) => {
    const { writer } = bench();
    const place = { ...time, index, of };
    return index < of - 1
      ? writer.putPiece('plant-7', place, bytes)
      : writer.putLastPiece('plant-7', head, place, bytes);
  };
  const pieces = [randomBytes(22_000), randomBytes(22_000), randomBytes(5)];

  it('show as one reading when the last one is there, and not before', async () => {
    const { reader } = bench();
    for (const index of [0, 1, 0]) await send(index, 3, pieces[index] as Buffer);
    expect(await readRange(reader)).toEqual([]);
    expect(await reader.latest(ownerOf('plant-7'), head)).toBeUndefined();
    expect(await send(2, 3, pieces[2] as Buffer)).toBeUndefined();
    expect(await send(2, 3, pieces[2] as Buffer)).toBeUndefined();
    const found = await readRange(reader);
    expect(found).toMatchObject([{ ...head, length: 44_005, objects: 3, isText: false }]);
    expect((await bodyOf(reader, found[0] as StoredReading)).equals(Buffer.concat(pieces))).toBe(
      true,
    );
    expect(await reader.latest(ownerOf('plant-7'), head, 'answer')).toEqual(found[0]);
  });

  it('are many', async () => {
    const of = 1_024;
    await Promise.all(
      Array.from({ length: of - 1 }, (_, index) => send(index, of, Buffer.from(`${index};`))),
    );
    expect(await send(of - 1, of, Buffer.from('end'))).toBeUndefined();
    const [found] = await readRange(bench().reader);
    const text = (await bodyOf(bench().reader, found as StoredReading)).toString();
    const numbers = Array.from({ length: of - 1 }, (_, index) => `${index};`);
    expect(text).toBe(`${numbers.join('')}end`);
    expect(found?.isText).toBe(true);
  });

  it('of another division of the same reading are not mixed with them', async () => {
    await send(0, 3, pieces[0] as Buffer);
    await send(0, 2, Buffer.from('whole '));
    expect(await send(1, 2, Buffer.from('body'))).toBeUndefined();
    const [found] = await readRange(bench().reader);
    expect(String(await bodyOf(bench().reader, found as StoredReading))).toBe('whole body');
  });

  it('are refused where one of them is missing', async () => {
    await send(0, 3, pieces[0] as Buffer);
    expect(await send(2, 3, pieces[2] as Buffer)).toBe('incomplete');
    expect(await readRange(bench().reader)).toEqual([]);
  });

  it('are refused, and dropped, where they are too much', async () => {
    const large = Buffer.alloc(4 * 1_024 * 1_024);
    await send(0, 3, large);
    await send(1, 3, large);
    expect(await send(2, 3, Buffer.alloc(1))).toBe('too-large');
    expect(await readRange(bench().reader)).toEqual([]);
    expect(await bench().readingTable.pieces('plant-7', { ...time, of: 3 })).toEqual([]);
  });

  it('are as large together as a reading may be', async () => {
    await send(0, 2, Buffer.alloc(8 * 1_024 * 1_024 - 1));
    expect(await send(1, 2, Buffer.alloc(1))).toBeUndefined();
  });
}
