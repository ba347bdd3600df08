import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chunk } from './index.ts';

it('pieces are views of the given size, the last one shorter', () => {
  const bytes = new Uint8Array([1, 2, 3, 4, 5]);
  const pieces = [...chunk(bytes, 2)];
  expect(pieces).toEqual([new Uint8Array([1, 2]), new Uint8Array([3, 4]), new Uint8Array([5])]);
  expect(pieces.every((piece) => piece.buffer === bytes.buffer)).toBe(true);
});

it('what fits is passed on itself, and nothing gives no piece', () => {
  const bytes = Buffer.from('abc');
  expect([...chunk(bytes, 3)][0]).toBe(bytes);
  expect([...chunk(new Uint8Array(), 3)]).toEqual([]);
});

it.each([0, -1, Number.NaN])('a size of %s is refused', (size) => {
  expect(() => [...chunk(new Uint8Array(1), size)]).toThrow(RangeError);
});

it('the pieces put together are the whole', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 1, max: 70 }),
      (bytes, size) => {
        const pieces = [...chunk(bytes, size)];
        expect(Buffer.concat(pieces)).toEqual(Buffer.from(bytes));
        expect(pieces.slice(0, -1).every((piece) => piece.length === size)).toBe(true);
      },
    ),
  );
});
