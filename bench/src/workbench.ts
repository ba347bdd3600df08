import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cleanup } from './cleanup.ts';

/** Where a run keeps its files, and what ends it. */
export interface Workbench {
  /** 0700, removed at the end. */
  readonly folder: string;
  readonly cleanup: Cleanup;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Gives `work` a workbench, and clears it away however the work ends. */
export async function withWorkbench<Result>(
  signal: AbortSignal,
  work: (workbench: Workbench) => Promise<Result>,
): Promise<Result> {
  const cleanup = new Cleanup();
  const folder = await mkdtemp(join(tmpdir(), 'pullwire-bench-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  try {
    return await work({ folder, cleanup, signal });
  } finally {
    await cleanup.run();
  }
}
