import { describe, expect, test } from 'vitest';
import { FrameMeter } from './frame-meter.ts';

/** A masked frame of a client. */
function frame(opcode: number, payload: number): Buffer {
  const head =
    payload < 126
      ? Buffer.from([0x80 | opcode, 0x80 | payload])
      : payload < 65_536
        ? Buffer.from([0x80 | opcode, 0xfe, payload >> 8, payload & 0xff])
        : Buffer.concat([
            Buffer.from([0x80 | opcode, 0xff, 0, 0, 0, 0]),
            Buffer.from([0, payload >> 16, (payload >> 8) & 0xff, payload & 0xff]),
          ]);
  return Buffer.concat([head, Buffer.alloc(4), Buffer.alloc(payload, 0xff)]);
}

function refusals(bytes: Buffer, step: number): number {
  let refused = 0;
  const meter = new FrameMeter(1000, () => {
    refused += 1;
  });
  for (let at = 0; at < bytes.length; at += step) meter.pass(bytes.subarray(at, at + step));
  return refused;
}

describe('a frame meter', () => {
  const legal = [frame(1, 0), frame(2, 125), frame(0, 126), frame(9, 5), frame(1, 1000)];

  test.each([1, 7, 100, 1_000_000])(
    'in pieces of %i bytes finds each frame that is too long',
    (step) => {
      expect(refusals(Buffer.concat(legal), step)).toBe(0);
      const illegal = [...legal, frame(1, 1001), ...legal, frame(0, 70_000), ...legal];
      expect(refusals(Buffer.concat(illegal), step)).toBe(2);
    },
  );

  test('refuses before the payload has come', () => {
    expect(refusals(frame(1, 1001).subarray(0, 8), 8)).toBe(1);
  });
});
