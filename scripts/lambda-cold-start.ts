/**
 * `npm run bench:lambda`: how long each Lambda function takes from the start of its process until its module is ready,
 * beside an empty one, and what is in its bundle. Exit code 1 where one takes more than 2.5 times as long. `--rounds N`:
 * 11 unless said.
 */
import { parseArgs } from 'node:util';
import { measureFunctions } from './lambda-start-functions.ts';
import { reportStarts, startLimit } from './lambda-start-report.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '11' } } });
const { times, sizes } = await measureFunctions(Math.max(1, Number(values.rounds) || 11));
const { text, slow } = reportStarts(times, sizes);
process.stdout.write(`${text}\n`);
if (slow.length > 0) {
  process.stdout.write(`more than ${startLimit} times an empty handler: ${slow.join(', ')}\n`);
  process.exitCode = 1;
}
