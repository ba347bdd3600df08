/**
 * A process that appends readings as fast as they are taken, and says on stdout which ones are: for tests that end or
 * stop it in the middle. `node spool-appender.ts PATH FIRST [COUNT]`; without COUNT it goes on for ever.
 */
import { systemClock } from '@pullwire/shared';
import { pino } from 'pino';
import { numberedReading } from './numbered-reading.ts';
import { Spool } from './spool.ts';

/** Appends that wait at once: commits hold several. */
const width = 16;

const [path = '', first = '0', count = 'Infinity'] = process.argv.slice(2);
const bounds = { maxBytes: 1e9, maxAgeMs: 1e12 };
const spool = new Spool({ path, bounds, clock: systemClock, logger: pino({ level: 'silent' }) });
await spool.start();
let next = Number(first);
const end = next + Number(count);

async function appendInTurn(): Promise<void> {
  while (next < end) {
    const at = next;
    next += 1;
    if (!(await spool.append(numberedReading(at)))) throw new Error(`${at} was lost`);
    process.stdout.write(`${at}\n`);
  }
}

await Promise.all(Array.from({ length: width }, appendInTurn));
const { commits } = spool.snapshot();
await spool.stop();
process.stdout.write(`commits ${commits}\n`);
