import { fileURLToPath } from 'node:url';
import { runCommand } from '../process/command.ts';
import { requireTool } from '../process/tool.ts';
import type { PayloadName } from '../system/payload.ts';
import type { System } from '../system/system.ts';
import { parseWrk, type WrkReport } from './wrk-output.ts';

const script = fileURLToPath(new URL('./load.lua', import.meta.url));

export interface WrkLoad {
  readonly payload: PayloadName;
  readonly connections: number;
  /** Whole seconds: wrk knows no others. */
  readonly seconds: number;
}

/** Loads a system with as many requests as it answers, one after the other on each connection. */
export async function runWrk(
  system: System,
  { payload, connections, seconds }: WrkLoad,
  signal: AbortSignal,
): Promise<WrkReport> {
  const wrk = requireTool('wrk', 'wrk');
  const headers = system.headerFile === undefined ? [] : ['--', system.headerFile];
  // One thread: it fills far more than what is measured here, and two cores are few.
  const load = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script];
  const url = `${system.baseUrl}/${payload}`;
  return parseWrk(await runCommand([wrk, ...load, url, ...headers], { signal }));
}
