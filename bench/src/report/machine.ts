import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { findTool } from '../process/tool.ts';

/** Where and with what a run was made: figures from two machines cannot be compared. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly nginx: string;
  readonly wrk: string;
  /** Of the minute before: another busy process makes the figures worthless. */
  readonly loadBefore: number;
}

export function describeMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    nginx: versionOf('nginx', /nginx\/(\S+)/),
    wrk: versionOf('wrk', /^wrk (\S+(?: ?\d\S*)?)/),
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** What a program answers to `-v`: nginx on stderr, wrk with its usage and an exit code of 1. */
function versionOf(name: string, pattern: RegExp): string {
  const path = findTool(name);
  if (path === undefined) return 'not installed';
  const { stdout, stderr } = spawnSync(path, ['-v'], { encoding: 'utf8' });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown';
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryBytes, kernel, node, nginx, wrk, loadBefore } = machine;
  const memory = Math.round(memoryBytes / 1e9);
  const what = `${cores} × ${cpu}, ${memory} GB, Linux ${kernel}; Node ${node}, nginx ${nginx}, wrk ${wrk}`;
  return `${what}; load before: ${loadBefore.toFixed(2)}`;
}
