/**
 * A caller that asks a fleet without pause. A program, so that it can run in a network namespace: orders come as JSON in
 * a file, SIGTERM has it finish what it began, and what came of it goes to stdout as lines of JSON.
 */
import { readFileSync } from 'node:fs';
import { SoakLoad, type SoakTarget } from './soak-load.ts';

/** The last line; a line `failure` each, and `wrong` each, come before. */
export interface SoakSum {
  readonly begun: number;
  readonly succeeded: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const [file = ''] = process.argv.slice(2);
const load = new SoakLoad(JSON.parse(readFileSync(file, 'utf8')) as SoakTarget);

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function end(): Promise<void> {
  await load.end();
  for (const failure of load.failures) say({ msg: 'failure', ...failure });
  for (const text of load.wrong) say({ msg: 'wrong', wrong: text });
  const times = load.times.toSorted((a, b) => a - b);
  const at = (part: number): number => times[Math.floor(times.length * part)] ?? 0;
  const sum: SoakSum = { begun: load.begun, succeeded: times.length, p50: at(0.5), p99: at(0.99) };
  say({ msg: 'sum', ...sum });
}

process.once('SIGTERM', () => void end());
