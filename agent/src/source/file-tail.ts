import type { FileHandle } from 'node:fs/promises';
import { PullFault } from '@pullwire/shared';

const blockBytes = 64 * 1024;
/** How far back lines are looked for. */
const tailLimitBytes = 16 * 1024 * 1024;
const newline = 0x0a;

/** N of `?tail=N`; undefined where the query has no `tail`. Throws `PullFault`. */
export function parseTail(query: string | undefined, most: number): number | undefined {
  const values = (query ?? '')
    .split('&')
    .filter((pair) => pair === 'tail' || pair.startsWith('tail='));
  if (values.length === 0) return undefined;
  const lines = /^tail=(\d{1,7})$/.exec(values[0] as string)?.[1];
  const count = Number(lines ?? 0);
  if (values.length === 1 && count >= 1 && count <= most) return count;
  const detail = `tail is given once, as a whole number from 1 to ${most} (maxTailLines)`;
  throw new PullFault('parameter-refused', 'policy', { detail });
}

/**
 * Where the last `lines` lines of the first `size` bytes begin: read backwards, block by block. A last line without a
 * line break counts. Throws `PullFault` where they are longer than `tailLimitBytes`, or the file shrank.
 */
export async function findTail(handle: FileHandle, size: number, lines: number): Promise<number> {
  const block = Buffer.allocUnsafe(Math.min(blockBytes, size));
  // The line break that ends the last line begins no other.
  let left = lines;
  let end = size;
  while (end > 0 && size - end < tailLimitBytes) {
    const start = Math.max(0, end - blockBytes);
    await readWhole(handle, block.subarray(0, end - start), start);
    for (let at = end - start - 1; at >= 0; at -= 1) {
      if (block[at] !== newline || start + at === size - 1) continue;
      left -= 1;
      if (left === 0) return start + at + 1;
    }
    end = start;
  }
  if (end === 0) return 0;
  const detail = `the last ${lines} lines are longer than ${tailLimitBytes} bytes; ask for fewer`;
  throw new PullFault('reply-too-large', 'upstream', { detail });
}

async function readWhole(handle: FileHandle, into: Buffer, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) {
      const detail = 'the file became shorter while it was read';
      throw new PullFault('source-failed', 'upstream', { detail });
    }
    done += bytesRead;
  }
}
