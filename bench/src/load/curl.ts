import { runCommand } from '../process/command.ts';
import { requireTool } from '../process/tool.ts';
import { type PayloadName, payloads } from '../system/payload.ts';
import type { System } from '../system/system.ts';

/** One download, from before the connection to the last byte. */
export interface Transfer {
  readonly seconds: number;
  readonly bytes: number;
}

/** @throws Error where the answer is not 200 with the whole payload. */
export async function download(
  system: System,
  payload: PayloadName,
  signal: AbortSignal,
): Promise<Transfer> {
  const curl = requireTool('curl', 'curl');
  const format = '%{http_code} %{size_download} %{time_total}';
  const headers = system.headerFile === undefined ? [] : ['-H', `@${system.headerFile}`];
  const trust = system.caFile === undefined ? [] : ['--cacert', system.caFile];
  const url = `${system.baseUrl}/${payload}`;
  // -q: nothing of the user's own configuration; --noproxy: nor of the environment.
  const quiet = ['-q', '-sS', '--noproxy', '*', '-o', '/dev/null', '-w', format];
  const output = await runCommand([curl, ...quiet, ...headers, ...trust, url], { signal });
  return parseTransfer(output, payloads[payload]);
}

/** @throws Error where the status is not 200 or the size is another one. */
export function parseTransfer(output: string, bytes: number): Transfer {
  const [status, size, seconds] = output.trim().split(' ').map(Number);
  if (status !== 200 || size !== bytes || seconds === undefined) {
    throw new Error(`expected status 200 and ${bytes} bytes; curl says: ${output.trim()}`);
  }
  return { seconds, bytes };
}
