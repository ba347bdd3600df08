import { randomBytes } from 'node:crypto';
import { mkdir, open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The origin's files: name and bytes. Decimal units, as everywhere in this bench. */
export const payloads = {
  '200b': 200,
  '10kb': 10_000,
  '1mb': 1_000_000,
  '100mb': 100_000_000,
  '1gb': 1_000_000_000,
} as const;

export type PayloadName = keyof typeof payloads;

/** Up to here the content is random; longer files are holes, which read as zeros and take no room on the disk. */
const randomUpTo = 1_000_000;

export async function writePayloads(folder: string): Promise<void> {
  await mkdir(folder);
  for (const [name, bytes] of Object.entries(payloads)) {
    const file = join(folder, name);
    await writeFile(file, randomBytes(Math.min(bytes, randomUpTo)));
    await truncate(file, bytes);
    await readThrough(file);
  }
}

/** Fills the kernel's cache: whoever is measured first must not pay for it. */
async function readThrough(file: string): Promise<void> {
  const chunk = Buffer.allocUnsafe(1_048_576);
  const handle = await open(file);
  try {
    while ((await handle.read(chunk)).bytesRead > 0);
  } finally {
    await handle.close();
  }
}
