import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { StoredReading } from './reading.ts';
import { readingText } from './reading-text.ts';

const stored: StoredReading = {
  ...{ device: 'plant-7', schedule: 's', at: 1_764_331_200_000, source: 'm', path: '/"x', ms: 5 },
  ...{ status: 200, headers: ['Set-Cookie', 'a', 'Set-Cookie', 'b'] },
  ...{ length: 0, isText: true, objects: 0, receivedAt: 0, expiresAt: 1 },
};

async function collect(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

/** As it is told, its body coming in pieces of so many bytes. */
async function told(reading: StoredReading, body: Buffer, bytes: number): Promise<unknown> {
  async function* pieces() {
    for (let at = 0; at < body.length; at += bytes) yield body.subarray(at, at + bytes);
  }
  const text = await collect(readingText(reading, async () => pieces()));
  expect(text).not.toContain('\n');
  return JSON.parse(text);
}

test('a reading is one line of JSON', async () => {
  expect(await told(stored, Buffer.from('a "b"\n'), 100)).toEqual({
    ...{ schedule: 's', at: '2025-11-28T12:00:00.000Z', source: 'm', path: '/"x', ms: 5 },
    ...{ status: 200, length: 0, encoding: 'utf-8', body: 'a "b"\n' },
    headers: [
      ['Set-Cookie', 'a'],
      ['Set-Cookie', 'b'],
    ],
  });
});

test.each([1, 2, 3, 5, 64])('text comes through in pieces of %d bytes', async (bytes) => {
  const text = '\ufeffµ€😀\u2028"\\\u0000 end';
  expect(await told(stored, Buffer.from(text), bytes)).toMatchObject({ body: text });
});

test.each([1, 2, 3, 4, 5, 64, 1_000])('bytes come through in pieces of %d', async (bytes) => {
  const body = randomBytes(500);
  const line = await told({ ...stored, isText: false }, body, bytes);
  expect(line).toMatchObject({ encoding: 'base64', body: body.toString('base64') });
});

test('a fault has no body, and nobody asks for one', async () => {
  const { status: _status, headers: _headers, ...head } = stored;
  const fault = { code: 'upstream-timeout', detail: 'too slow' };
  const open = () => Promise.reject(new Error('asked for'));
  const text = await collect(readingText({ ...head, fault }, open));
  expect(JSON.parse(text)).toMatchObject({ fault, length: 0 });
  expect(text).not.toContain('body');
});

test('a body that is gone is said to be', async () => {
  const text = await collect(readingText(stored, async () => undefined));
  expect(JSON.parse(text)).toMatchObject({ status: 200, bodyMissing: true });
});
