import {
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFrom } from '../../test/source/source-deps.ts';
import { sourceRequest } from '../../test/source/source-request.ts';
import { describeSource } from './source-contract.ts';

const largeBytes = 32 * 1024 * 1024;

describeSource('file', async () => {
  const root = mkdtempSync(join(tmpdir(), 'pullwire-'));
  writeFileSync(join(root, 'small.txt'), 'hello');
  writeFileSync(join(root, 'large.bin'), '');
  truncateSync(join(root, 'large.bin'), largeBytes);
  const source = openFrom({ kind: 'file', root, allow: [{ paths: ['/**'] }] });
  return {
    source,
    small: sourceRequest('/small.txt'),
    smallBody: 'hello',
    large: sourceRequest('/large.bin'),
    largeBytes,
    failures: [
      {
        what: 'missing',
        request: sourceRequest('/missing'),
        code: 'source-not-found',
        stage: 'upstream',
      },
      {
        what: 'no number',
        request: sourceRequest('/small.txt?tail=x'),
        code: 'parameter-refused',
        stage: 'policy',
      },
    ],
    odd: [
      sourceRequest('/small.txt', { method: 'PUT' }),
      sourceRequest('/a', { segments: ['..', 'a\0b'] }),
      sourceRequest('/a', { segments: ['a/b'] }),
      sourceRequest(`/${'a'.repeat(5_000)}`),
      sourceRequest(`/${'a/'.repeat(5_000)}`),
      sourceRequest('/small.txt', { headers: ['Range', '\u20ac', 'If-Match', '\u20ac'] }),
    ],
    held: () => filesBelow(root),
    close: async () => rmSync(root, { recursive: true }),
  };
});

/** How many of our descriptors are of something in this folder. */
function filesBelow(root: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(root);
    } catch {
      return false;
    }
  }).length;
}
