import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);

test('the demo makes three pulls, its curl lines work as printed, and Ctrl-C ends it', async () => {
  const startedAt = performance.now();
  const main = fileURLToPath(new URL('../demo/src/main.ts', import.meta.url));
  const demo = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  for await (const line of createInterface({ input: demo.stdout })) {
    lines.push(line);
    if (line.startsWith('Up after')) break;
  }
  expect(performance.now() - startedAt).toBeLessThan(60_000);
  expect(lines.filter((line) => /^ {2}200 in [\d.]+ ms/.test(line))).toHaveLength(3);
  expect(lines.join('\n')).not.toContain('\u001b');
  const curls = lines.filter((line) => line.trimStart().startsWith('curl '));
  expect(curls).toHaveLength(3);
  const answers = await Promise.all(
    curls.map((line) => run('sh', ['-c', `${line.trim()} --silent --fail`])),
  );
  expect(answers.map(({ stdout }) => stdout.length > 0)).toEqual([true, true, true]);
  demo.kill('SIGINT');
  expect(await once(demo, 'exit')).toEqual([0, null]);
});
