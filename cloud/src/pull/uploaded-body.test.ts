import type { PullFault } from '@pullwire/shared';
import { expect, test } from 'vitest';
import { ObjectStoreError } from '../object/object-store-error.ts';
import { UploadedBody } from './uploaded-body.ts';

interface BenchInit {
  readonly chunks?: readonly string[];
  readonly taken?: boolean;
  readonly breaks?: boolean;
  /** Whether the sink asks to hold after each chunk. */
  readonly holds?: boolean;
}

function bench({ chunks = ['ab', 'cd'], taken = true, breaks = false, holds = false }: BenchInit) {
  const seen: string[] = [];
  const done: Promise<unknown>[] = [];
  const faults: (PullFault | undefined)[] = [];
  async function* content() {
    for (const chunk of chunks) {
      seen.push(`read ${chunk}`);
      yield Buffer.from(chunk);
    }
    if (breaks) throw new ObjectStoreError('unavailable', 'the connection was reset');
  }
  const body = new UploadedBody({
    upload: { key: 'uploads/x', length: 4 },
    tickets: {
      take: async () => {
        seen.push('take');
        return taken;
      },
    },
    store: {
      open: async () => ({ length: 4, body: content() }),
      remove: async (key) => {
        seen.push(`remove ${key}`);
      },
    },
    track: (work) => done.push(work),
  });
  const held: (() => void)[] = [];
  const holding: Promise<void>[] = [];
  const holdNext = () => holding.push(new Promise((resolve) => held.push(resolve)));
  holdNext();
  body.deliverTo({
    chunk: (bytes) => {
      seen.push(`chunk ${Buffer.from(bytes)}`);
      if (holds) body.pause();
      held.at(-1)?.();
      holdNext();
    },
    end: () => seen.push('end'),
    broken: (why) => {
      seen.push('broken');
      faults.push(why);
    },
  });
  return {
    body,
    seen,
    faults,
    done: () => Promise.all(done),
    chunked: (at: number) => holding[at],
  };
}

test('an uploaded body is taken when it is wanted, delivered, and removed', async () => {
  const b = bench({});
  expect(b.seen).toEqual([]);
  b.body.resume();
  b.body.resume();
  await b.done();
  const order = ['take', 'read ab', 'chunk ab', 'read cd', 'chunk cd', 'end', 'remove uploads/x'];
  expect(b.seen).toEqual(order);
});

test('the device sets the pace', async () => {
  const b = bench({ holds: true });
  b.body.resume();
  await b.chunked(0);
  expect(b.seen).toEqual(['take', 'read ab', 'chunk ab']);
  b.body.resume();
  await b.chunked(1);
  b.body.resume();
  await b.done();
  expect(b.seen.slice(-2)).toEqual(['end', 'remove uploads/x']);
});

test('a pull that ends before the body is wanted leaves the upload for the next one', async () => {
  const b = bench({});
  b.body.stop();
  b.body.resume();
  await b.done();
  expect(b.seen).toEqual([]);
});

test('a pull that ends in the middle reads no further, and the object goes', async () => {
  const b = bench({ holds: true });
  b.body.resume();
  await b.chunked(0);
  b.body.stop();
  await b.done();
  expect(b.seen).toEqual(['take', 'read ab', 'chunk ab', 'remove uploads/x']);
});

test('what another pull has taken is not delivered, and not removed under it', async () => {
  const b = bench({ taken: false });
  b.body.resume();
  await b.done();
  expect(b.seen).toEqual(['take', 'broken']);
  expect(b.faults).toEqual([expect.objectContaining({ code: 'upload-spent' })]);
});

test.each([
  ['breaks off', { breaks: true }],
  ['is too short', { chunks: ['ab'] }],
  ['is too long', { chunks: ['ab', 'cde'] }],
])('a body that %s in the storage breaks the request, and is removed', async (_name, init) => {
  const b = bench(init);
  b.body.resume();
  await b.done();
  expect(b.seen.slice(-2)).toEqual(['broken', 'remove uploads/x']);
  expect(b.faults).toEqual([expect.objectContaining({ code: 'upload-broken', stage: 'send' })]);
});
