import { rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Check, Finding } from './check.ts';

/** Bytes; below these the agent's own files soon cannot be written, or cannot be now. */
const free = { few: 64 * 1024 * 1024, none: 1024 * 1024 };

/** The folder beside the key, where the agent keeps what it must not forget. */
export const diskCheck: Check = {
  component: 'disk',
  needs: ['config'],
  limitMs: 5_000,
  target: (patient) => (patient.hasConfig ? dirname(patient.config.keyFile) : 'state folder'),
  run: async ({ config, deps }) => {
    const target = dirname(config.keyFile);
    const refused = await whyNotWritable(target, deps.newId());
    if (refused !== undefined) return [notWritable(target, refused)];
    const { bavail, bsize } = await statfs(target);
    return [spaceFinding(target, bavail * bsize)];
  },
};

/** By a file that is written and removed: a mode says nothing of a read-only mount, nor of a full disk. */
async function whyNotWritable(folder: string, id: string): Promise<string | undefined> {
  const file = join(folder, `.doctor-${id}`);
  try {
    await writeFile(file, 'pullwire-agent doctor\n', { flag: 'wx', mode: 0o600 });
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    await rm(file, { force: true }).catch(() => {});
  }
}

function notWritable(target: string, code: string): Finding {
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const details = `nothing can be written there: it is full (${code})`;
    return { target, state: 'failed', details, advice: 'make room on this disk' };
  }
  const details = `nothing can be written there (${code}): the agent answers pulls, but can take no other key and forgets what it learnt of the path`;
  const advice = "give the folder to the agent's user, or mount it writable";
  return { target, state: 'warning', details, advice };
}

function spaceFinding(target: string, bytes: number): Finding {
  const details = `writable, ${Math.floor(bytes / (1024 * 1024))} MiB free`;
  if (bytes >= free.few) return { target, state: 'ok', details };
  const state = bytes < free.none ? 'failed' : 'warning';
  return { target, state, details, advice: 'make room on this disk' };
}
