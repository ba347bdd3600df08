import { readdirSync, readFileSync } from 'node:fs';
import { type ProcStat, parseProcStat, parseResidentBytes } from './proc-file.ts';

/** The processes and all that descend from them: nginx works in a worker, sshd in a process a session. */
export function treeOf(roots: readonly number[]): number[] {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)) ?? []);
  return withDescendants(roots, stats);
}

/** The roots, and those of `stats` below them. */
export function withDescendants(
  roots: readonly number[],
  stats: readonly Pick<ProcStat, 'pid' | 'parentPid'>[],
): number[] {
  const tree = [...roots];
  for (const parent of tree) {
    for (const { pid, parentPid } of stats) {
      if (parentPid === parent && !tree.includes(pid)) tree.push(pid);
    }
  }
  return tree;
}

/** CPU seconds used so far by all of them together, as the kernel accounts for them (10 ms steps). */
export function cpuSecondsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (readStat(pid)?.cpuSeconds ?? 0), 0);
}

/** Bytes resident now in all of them together; pages that processes share count in each. */
export function residentBytesOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + parseResidentBytes(readProc(pid, 'status') ?? ''), 0);
}

function readStat(pid: number): ProcStat | undefined {
  const text = readProc(pid, 'stat');
  return text === undefined ? undefined : parseProcStat(text);
}

/** Undefined where the process has ended meanwhile. */
function readProc(pid: number, file: 'stat' | 'status'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
