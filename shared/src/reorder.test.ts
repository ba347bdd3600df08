import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Reorder, WireError } from './index.ts';

interface Numbered {
  readonly seq: number;
}

function collect(options: ConstructorParameters<typeof Reorder>[0]) {
  const order = new Reorder<Numbered>(options);
  const seen: number[] = [];
  const accept = (seq: number, bytes = 1) =>
    order.accept({ seq }, bytes, (frame) => seen.push(frame.seq));
  return { order, seen, accept };
}

describe('Reorder', () => {
  it('delivers frames in order as they come', () => {
    const { seen, accept, order } = collect({ bytes: 0 });
    for (const seq of [0, 1, 2]) accept(seq);
    expect(seen).toEqual([0, 1, 2]);
    expect(order.next).toBe(3);
  });

  it('keeps an early frame until those before it have come', () => {
    const { seen, accept, order } = collect({ bytes: 100 });
    accept(2, 10);
    accept(1, 20);
    expect(seen).toEqual([]);
    expect([order.earlyFrames, order.earlyBytes]).toEqual([2, 30]);
    accept(0);
    expect(seen).toEqual([0, 1, 2]);
    expect([order.earlyFrames, order.earlyBytes]).toEqual([0, 0]);
  });

  it('drops repeats of delivered and of waiting frames, and counts them', () => {
    const { seen, accept, order } = collect({ bytes: 100 });
    for (const seq of [0, 0, 2, 2, 1, 1, 2, 0]) accept(seq);
    expect(seen).toEqual([0, 1, 2]);
    expect(order.repeats).toBe(5);
  });

  it('begins where it is told', () => {
    const { seen, accept } = collect({ bytes: 100, next: 1 });
    accept(0);
    accept(2);
    accept(1);
    expect(seen).toEqual([1, 2]);
  });

  it('refuses a 65th early frame', () => {
    const { accept, order } = collect({ bytes: 100 });
    for (let seq = 1; seq <= 64; seq += 1) accept(seq, 0);
    expect(() => accept(65, 0)).toThrow(WireError);
    expect(order.earlyFrames).toBe(64);
  });

  it('refuses early bytes beyond the budget, and takes those within it', () => {
    const { accept } = collect({ bytes: 100, frames: 3 });
    accept(1, 60);
    expect(() => accept(2, 41)).toThrow('more than 100 bytes');
    expect(() => accept(2, 40)).not.toThrow();
  });

  it('still knows what it delivered when delivering throws', () => {
    const order = new Reorder<Numbered>({ bytes: 10 });
    const fail = () => {
      throw new Error('no');
    };
    expect(() => order.accept({ seq: 0 }, 1, fail)).toThrow('no');
    expect(order.next).toBe(1);
  });

  it('may be given the next frame while it delivers one', () => {
    const { order } = collect({ bytes: 10 });
    const seen: number[] = [];
    const deliver = (frame: Numbered): void => {
      seen.push(frame.seq);
      if (frame.seq === 0) order.accept({ seq: 1 }, 1, deliver);
    };
    order.accept({ seq: 2 }, 1, deliver);
    order.accept({ seq: 0 }, 1, deliver);
    expect(seen).toEqual([0, 1, 2]);
  });

  it('gives back the original whatever is shuffled and repeated', () => {
    const shuffled = fc.integer({ min: 1, max: 60 }).chain((count) =>
      fc.tuple(
        fc.constant(count),
        fc.shuffledSubarray([...indices(count), ...indices(count), ...indices(count)], {
          minLength: count * 3,
        }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([count, sequence]) => {
        const { seen, accept, order } = collect({ bytes: count });
        for (const seq of sequence) accept(seq);
        expect(seen).toEqual(indices(count));
        expect(order.repeats).toBe(count * 2);
        expect([order.earlyFrames, order.earlyBytes]).toEqual([0, 0]);
      }),
    );
  });
});

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
