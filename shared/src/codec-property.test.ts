import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyAgentMessage, anyRelayMessage } from '../test/any-message.ts';
import { codecFor, type Frame, type Incoming, subprotocols, WireError } from './index.ts';

const runs = { numRuns: 400 };

const valid: { json: string; bin: string }[] = JSON.parse(
  readFileSync(new URL('../vectors/valid.json', import.meta.url), 'utf8'),
);

/** What a socket hands on of a frame: cut into fragments at these places, where it is binary. */
function received(frame: Frame, cuts: readonly number[]): Incoming {
  if (typeof frame === 'string') return frame;
  const whole = Buffer.concat(frame);
  const places = cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b);
  return [0, ...places].map((from, i) => whole.subarray(from, places[i] ?? whole.length));
}

/** Passes where decoding returns or throws the one error that it may throw. */
function survives(decode: (data: Incoming) => unknown, data: Incoming): void {
  try {
    decode(data);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    expect(error.message.length).toBeLessThan(124);
  }
}

describe.each(subprotocols)('%s', (subprotocol) => {
  const codec = codecFor(subprotocol);
  const seeds = valid.map((row) =>
    subprotocol === 'pullwire.v1+json' ? Buffer.from(row.json) : Buffer.from(row.bin, 'hex'),
  );
  const asReceived = (bytes: Buffer): Incoming =>
    subprotocol === 'pullwire.v1+json' ? bytes.toString('utf8') : bytes;

  it("an agent's message is the same after encoding and decoding", () => {
    fc.assert(
      fc.property(anyAgentMessage, fc.array(fc.nat(), { maxLength: 4 }), (message, cuts) => {
        const frame = codec.encode(message);
        expect(codec.decodeAgent(received(frame, []))).toStrictEqual(message);
        expect(codec.decodeAgent(received(frame, cuts))).toStrictEqual(message);
        expect(codec.decodeAgent(frame)).toStrictEqual(message);
      }),
      runs,
    );
  });

  it("a relay's message is the same after encoding and decoding", () => {
    fc.assert(
      fc.property(anyRelayMessage, fc.array(fc.nat(), { maxLength: 4 }), (message, cuts) => {
        const frame = codec.encode(message);
        expect(codec.decodeRelay(received(frame, []))).toStrictEqual(message);
        expect(codec.decodeRelay(received(frame, cuts))).toStrictEqual(message);
        expect(codec.decodeRelay(frame)).toStrictEqual(message);
      }),
      runs,
    );
  });

  it('any text and any bytes decode or throw a WireError', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.json().map((value) => `{"action":"hello","labels":${value},"sources":[${value}]}`),
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }),
    );
    fc.assert(
      fc.property(anything, (data) => {
        survives(codec.decodeAgent, data);
        survives(codec.decodeRelay, data);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a valid frame with some bytes changed, removed or doubled decodes or throws a WireError', () => {
    const edit = fc.record({
      at: fc.nat(),
      remove: fc.integer({ min: 0, max: 3 }),
      insert: fc.uint8Array({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        (seed, edits) => {
          const mutated = edits.reduce((bytes, { at, remove, insert }) => {
            const from = at % (bytes.length + 1);
            const rest = bytes.subarray(Math.min(bytes.length, from + remove));
            return Buffer.concat([bytes.subarray(0, from), insert, rest]);
          }, seed);
          survives(codec.decodeAgent, asReceived(mutated));
          survives(codec.decodeRelay, asReceived(mutated));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('what decodes can be encoded again, and decodes to the same', () => {
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.nat(), fc.nat({ max: 255 }), (seed, at, byte) => {
        const mutated = Buffer.from(seed);
        mutated[at % mutated.length] = byte;
        for (const decode of [codec.decodeAgent, codec.decodeRelay]) {
          let message: ReturnType<typeof decode>;
          try {
            message = decode(asReceived(mutated));
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
            continue;
          }
          if (message.action === 'ignored') continue;
          expect(decode(received(codec.encode(message), []))).toStrictEqual(message);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
