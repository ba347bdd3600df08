import { describe, expect, it } from 'vitest';
import { LookupCache } from './lookup-cache.ts';

/** A cache whose reads wait until the test answers them. */
function fixture(changes: { capacity?: number; firstReads?: number; told?: boolean } = {}) {
  const reads: { key: string; answer(value?: string): void; fail(error: Error): void }[] = [];
  const cache = new LookupCache<string>({
    load: (key) => {
      const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
      reads.push({ key, answer: resolve, fail: reject });
      return promise;
    },
    maxAgeMs: 10_000,
    missAgeMs: 1_000,
    capacity: 3,
    firstReads: 100,
    ...changes,
  });
  const read = async (key: string, now: number, value?: string) => {
    const answer = cache.get(key, now);
    reads.at(-1)?.answer(value);
    return answer;
  };
  return { cache, reads, read };
}

describe('a look-up cache', () => {
  it('answers at once what it read lately', async () => {
    const { cache, reads, read } = fixture();
    expect(await read('a', 0, 'A')).toBe('A');
    expect(cache.get('a', 4_999)).toBe('A');
    expect(reads.length).toBe(1);
  });

  it('reads again what is as old as it may be', async () => {
    const { cache, reads, read } = fixture();
    await read('a', 0, 'A');
    const again = cache.get('a', 10_000);
    expect(again).toBeInstanceOf(Promise);
    reads[1]?.answer('B');
    expect(await again).toBe('B');
  });

  it('counts the age from the beginning of the read', async () => {
    const { cache, reads } = fixture();
    const first = cache.get('a', 0);
    reads[0]?.answer('A');
    await first;
    expect(cache.get('a', 10_000)).toBeInstanceOf(Promise);
  });

  it('believes nothing from the future, as after a clock that was set back', async () => {
    const { cache, read } = fixture();
    await read('a', 50_000, 'A');
    expect(cache.get('a', 49_999)).toBeInstanceOf(Promise);
  });

  it('reads behind the answer what has passed half its age, once', async () => {
    const { cache, reads, read } = fixture();
    await read('a', 0, 'A');
    expect(cache.get('a', 5_000)).toBe('A');
    expect(cache.get('a', 5_001)).toBe('A');
    expect(reads.length).toBe(2);
    reads[1]?.answer('B');
    await Promise.resolve();
    await Promise.resolve();
    expect(cache.get('a', 14_999)).toBe('B');
  });

  it('goes on with what it has when reading behind fails, until its age', async () => {
    const { cache, reads, read } = fixture();
    await read('a', 0, 'A');
    expect(cache.get('a', 5_000)).toBe('A');
    reads[1]?.fail(new Error('down'));
    await Promise.resolve();
    expect(cache.get('a', 9_999)).toBe('A');
    expect(cache.get('a', 10_000)).toBeInstanceOf(Promise);
  });

  it('believes an absence for a shorter time', async () => {
    const { cache, reads, read } = fixture();
    expect(await read('a', 0)).toBeUndefined();
    expect(cache.get('a', 999)).toBeUndefined();
    expect(reads.length).toBe(1);
    expect(cache.get('a', 1_000)).toBeInstanceOf(Promise);
  });

  it('shares one read between those who ask at the same time', async () => {
    const { cache, reads } = fixture();
    const answers = [cache.get('a', 0), cache.get('a', 1)];
    reads[0]?.answer('A');
    expect(await Promise.all(answers)).toEqual(['A', 'A']);
    expect(reads.length).toBe(1);
  });

  it('keeps nothing of a read that failed', async () => {
    const { cache, reads } = fixture();
    const first = cache.get('a', 0);
    reads[0]?.fail(new Error('down'));
    await expect(first).rejects.toThrow('down');
    expect(cache.get('a', 1)).toBeInstanceOf(Promise);
  });

  it('forgets everything when it is cleared, and what is read meanwhile', async () => {
    const { cache, reads, read } = fixture();
    await read('a', 0, 'A');
    const under = cache.get('b', 0);
    cache.clear();
    reads[1]?.answer('B');
    expect(await under).toBe('B');
    expect(cache.get('a', 1)).toBeInstanceOf(Promise);
    expect(cache.get('b', 1)).toBeInstanceOf(Promise);
    expect(reads.length).toBe(4);
  });

  it('shows what was there, however long ago, and asks nothing for it', async () => {
    const { cache, reads, read } = fixture();
    expect(cache.peek('a')).toBeUndefined();
    await read('a', 0, 'A');
    await read('b', 0);
    expect([cache.peek('a'), cache.peek('b'), reads.length]).toEqual(['A', undefined, 2]);
  });

  it('holds no more than its capacity, and absences push no value out', async () => {
    const { cache, read } = fixture();
    await read('a', 0, 'A');
    for (const guess of ['g1', 'g2', 'g3', 'g4']) await read(guess, 0);
    expect(cache.get('a', 1)).toBe('A');
    expect(cache.get('g1', 1)).toBeInstanceOf(Promise);
    for (const key of ['b', 'c', 'd']) await read(key, 0, key);
    expect(cache.get('a', 1)).toBeInstanceOf(Promise);
    expect(cache.get('d', 1)).toBe('d');
  });

  it('refuses to read more unknown keys at once than it may, and goes on with those it knows', async () => {
    const { cache, reads, read } = fixture({ firstReads: 2 });
    await read('a', 0, 'A');
    const answers = [cache.get('g1', 1), cache.get('g2', 1)];
    expect(() => cache.get('g3', 1)).toThrow('too many unknown keys');
    expect(cache.get('a', 5_000)).toBe('A');
    for (const { answer } of reads) answer(undefined);
    await Promise.all(answers);
    expect(cache.get('g3', 5_000)).toBeInstanceOf(Promise);
  });
});

describe('a look-up cache that is told of every change', () => {
  it('goes on with what it has, however old, and reads again behind the answer', async () => {
    const { cache, reads, read } = fixture({ told: true });
    await read('a', 0, 'A');
    expect(cache.get('a', 3_600_000)).toBe('A');
    reads[1]?.answer('B');
    await expect.poll(() => cache.get('a', 3_600_001)).toBe('B');
    expect(reads.length).toBe(2);
  });

  it('looks once a second while reads fail, and goes on', async () => {
    const { cache, reads, read } = fixture({ told: true });
    await read('a', 0, 'A');
    for (const now of [20_000, 20_500, 20_999]) {
      expect(cache.get('a', now)).toBe('A');
      reads.at(-1)?.fail(new Error('down'));
      await new Promise(setImmediate);
    }
    expect(reads.length).toBe(2);
    expect(cache.get('a', 21_000)).toBe('A');
    expect(reads.length).toBe(3);
  });

  it('goes on after a clock that was set back', async () => {
    const { cache, reads, read } = fixture({ told: true });
    await read('a', 50_000, 'A');
    expect(cache.get('a', 1_000)).toBe('A');
    expect(reads.length).toBe(2);
  });

  it('has nothing once it was told', async () => {
    const { cache, read } = fixture({ told: true });
    await read('a', 0, 'A');
    cache.clear();
    expect(cache.get('a', 1)).toBeInstanceOf(Promise);
  });
});
