import { expect, test } from 'vitest';
import { BufferCollector } from './buffer-collector.ts';

test('collects once so many bytes have moved, and again after as many', () => {
  let collections = 0;
  const collector = new BufferCollector(() => {
    collections += 1;
  }, 100);
  collector.moved(60);
  expect(collections).toBe(0);
  collector.moved(60);
  expect(collections).toBe(1);
  collector.moved(99);
  expect(collections).toBe(1);
  collector.moved(1);
  expect(collections).toBe(2);
});

test('counts large bodies that came in, each the last fragment of its message, and no small ones', () => {
  let collections = 0;
  const collector = new BufferCollector(() => {
    collections += 1;
  }, 10_000);
  for (let i = 0; i < 10; i += 1) collector.received([Buffer.alloc(4_096)]);
  collector.received([]);
  expect(collections).toBe(0);
  collector.received([Buffer.alloc(20), Buffer.alloc(9_999)]);
  expect(collections).toBe(0);
  collector.received([Buffer.alloc(5_000)]);
  expect(collections).toBe(1);
});

test('buffers that are no longer used are gone after a collection', () => {
  const collector = new BufferCollector(undefined, 1);
  collector.moved(1);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 500; i += 1) Buffer.from(new ArrayBuffer(65_536));
  collector.moved(1);
  collector.moved(1); // V8 frees beside the program; the next collection waits for it
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 65_536);
});
