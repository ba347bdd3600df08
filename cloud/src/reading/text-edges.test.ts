import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinsToText, textEdges } from './text-edges.ts';

/** Cuts the bytes at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...places.map((place) => place % (bytes.length + 1)), 0, bytes.length];
  sorted.sort((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

// Pieces of fewer than 4 bytes can lie within one character: the agent makes none.
const places = (length: number) =>
  fc
    .array(fc.nat({ max: length }), { maxLength: 5 })
    .map((some) =>
      some
        .toSorted((a, b) => a - b)
        .filter((place, at, all) => place >= 4 && place - (all[at - 1] ?? 0) >= 4),
    );

test('text that is cut anywhere is text, and what is none is none', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 10, maxLength: 60 }).map(Buffer.from);
  const bytes = fc.uint8Array({ minLength: 10, maxLength: 40 }).map(Buffer.from);
  const body = fc.oneof(text, bytes, fc.tuple(text, bytes).map(Buffer.concat));
  fc.assert(
    fc.property(
      body.chain((whole) => fc.tuple(fc.constant(whole), places(whole.length))),
      ([whole, at]) => {
        const pieces = cut(whole, at);
        expect(joinsToText(pieces.map(textEdges))).toBe(isUtf8(whole));
      },
    ),
    { numRuns: 2_000 },
  );
});

test('each way to cut a character of each length', () => {
  for (const character of ['a', 'é', '€', '😀']) {
    const whole = Buffer.from(`before${character}behind`);
    for (let at = 4; at <= whole.length - 4; at += 1) {
      const pieces = [whole.subarray(0, at), whole.subarray(at)];
      expect(joinsToText(pieces.map(textEdges))).toBe(true);
      expect(joinsToText([pieces[0] as Buffer, Buffer.from('x')].map(textEdges))).toBe(
        isUtf8(pieces[0] as Buffer),
      );
    }
  }
  expect(joinsToText([])).toBe(true);
});
