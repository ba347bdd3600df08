import { describe, expect, it } from 'vitest';
import { parseProcStat, parseResidentBytes } from './proc-file.ts';

const tail = '0 -1 4194560 1234 0 0 0 250 75 9 9 20 0 11 0 9417 1087430656 15003';

describe('/proc/PID/stat', () => {
  it('gives parent and CPU seconds of the process itself, without those of its dead children', () => {
    const text = `4242 (node) S 17 4242 4242 ${tail}\n`;
    expect(parseProcStat(text)).toEqual({ pid: 4242, parentPid: 17, cpuSeconds: 3.25 });
  });

  it('survives spaces and parentheses in the name', () => {
    const text = `7 (nginx: (x) worker) R 6 7 7 ${tail}\n`;
    expect(parseProcStat(text)).toMatchObject({ pid: 7, parentPid: 6, cpuSeconds: 3.25 });
  });

  it.each(['', 'node', '12 (node) S', '12 node S 1 2 3'])('refuses %j', (text) => {
    expect(() => parseProcStat(text)).toThrow('not a line of /proc/PID/stat');
  });
});

describe('/proc/PID/status', () => {
  it('gives resident memory in bytes', () => {
    const text = 'Name:\tnode\nVmHWM:\t  90000 kB\nVmRSS:\t   81920 kB\nThreads:\t11\n';
    expect(parseResidentBytes(text)).toBe(83_886_080);
  });

  it('gives 0 for a process that has no memory any more', () => {
    expect(parseResidentBytes('Name:\tnode\nState:\tZ (zombie)\n')).toBe(0);
  });
});
