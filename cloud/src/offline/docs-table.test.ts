import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { FakeExchange } from '../../test/fake-exchange.ts';
import { answers, isOff, readingOf, StoredBench } from '../../test/stored-bench.ts';

const page = readFileSync(new URL('../../../docs/offline.md', import.meta.url), 'utf8');
const head =
  "| the request's `Cache-Control` | age | the device | the answer |\n|---|---|---|---|\n";

const [, table = ''] = page.split(head);
const rows = table
  .slice(0, table.indexOf('\n\n'))
  .split('\n')
  .map((row) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')) as Row);
type Row = [request: string, age: string, device: string, answer: string];

const unquoted = (text: string) => text.replaceAll('`', '');

function stored(age: string) {
  if (age === 'none') return undefined;
  const [seconds, ...said] = age.split(', ');
  const cacheControl = said.length === 0 ? [] : ['Cache-Control', unquoted(said.join(', '))];
  return readingOf(Number(seconds), cacheControl);
}

/** In the page's words. */
function answerOf({ status, bodyText }: FakeExchange, asked: number): string {
  const notAsked = asked === 0 ? ', not asked' : '';
  if (bodyText === 'stored') return `stored${notAsked}`;
  if (bodyText === 'device') return `the device's${notAsked}`;
  const { code } = JSON.parse(bodyText) as { code: string };
  if (code === 'not-stored') return `${status}${notAsked}`;
  return code === 'device-offline' ? `the error${notAsked}` : code;
}

test('the page has its table', () => expect(rows.length).toBeGreaterThan(50));

test.each(rows)('%s, age %s, the device %s: %s', async (request, age, device, answer) => {
  const bench = new StoredBench({
    reading: stored(age),
    device: device === 'is off' ? isOff : answers(Number(/\d+/.exec(device)?.[0] ?? 200)),
  });
  const exchange = await bench.ask(request === '–' ? undefined : unquoted(request));
  expect(answerOf(exchange, bench.asked.length)).toBe(answer);
});
