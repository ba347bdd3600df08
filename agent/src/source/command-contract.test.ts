import { readdirSync, readFileSync } from 'node:fs';
import { openFrom } from '../../test/source/source-deps.ts';
import { sourceRequest } from '../../test/source/source-request.ts';
import { describeSource } from './source-contract.ts';

const largeBytes = 32 * 1024 * 1024;

/** What the command does, by its parameter; in Node, which is there wherever the agent is. */
const program = `
  const { writeSync } = require('node:fs');
  const write = (text) => { for (let at = 0; at < text.length; ) at += writeSync(1, text.slice(at)); };
  const act = {
    small: () => write('hello'),
    large: () => { for (let i = 0; i < ${largeBytes / 65_536}; i += 1) write('a'.repeat(65536)); },
    fail: () => { process.stderr.write('no such thing'); process.exitCode = 3; },
    late: () => { write('b'.repeat(100000)); process.exitCode = 3; },
  };
  act[process.argv[1]]();
`;

describeSource('command', async () => {
  const source = openFrom({
    kind: 'command',
    argv: [process.execPath, '-e', program, '{act}'],
    parameters: { act: { pattern: '[a-z]+' } },
    outputBytes: '64MiB',
    allow: [{ paths: ['/'] }],
  });
  return {
    source,
    small: sourceRequest('/?act=small'),
    smallBody: 'hello',
    large: sourceRequest('/?act=large'),
    largeBytes,
    failures: [
      {
        what: 'exit code',
        request: sourceRequest('/?act=fail'),
        code: 'command-failed',
        stage: 'upstream',
      },
      {
        what: 'late exit code',
        request: sourceRequest('/?act=late'),
        code: 'command-failed',
        stage: 'stream',
        hasHead: true,
      },
      { what: 'missing', request: sourceRequest('/'), code: 'parameter-refused', stage: 'policy' },
    ],
    odd: [
      sourceRequest('/?act=%00'),
      sourceRequest('/?act=%ff'),
      sourceRequest('/?act=small&act=small'),
      sourceRequest('/?='),
      sourceRequest(`/?act=${'a'.repeat(10_000)}`),
    ],
    held: () => children().length,
    close: async () => {},
  };
});

/** Our child processes, zombies too: `pid (name) state parent …` (proc_pid_stat(5)). */
function children(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return /.*\) . (\d+)/s.exec(stat)?.[1] === String(process.pid);
    } catch {
      return false;
    }
  });
}
