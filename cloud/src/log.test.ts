import { describe, expect, it } from 'vitest';
import { logTo } from './log.ts';

function linesOf(write: (log: ReturnType<typeof logTo>) => void) {
  const lines: string[] = [];
  write(logTo({ write: (line) => lines.push(line) }, 'info'));
  return lines.map((line) => JSON.parse(line));
}

describe('the log', () => {
  it('is a JSON object a line, with level and time for people', () => {
    const [line] = linesOf((log) => log.info({ pullId: 'x' }, 'pull'));
    expect(line).toMatchObject({ level: 'info', pullId: 'x', msg: 'pull', pid: process.pid });
    expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('leaves out what is below its level', () => {
    expect(linesOf((log) => log.debug('x'))).toEqual([]);
  });

  it('never shows what a credential header holds', () => {
    const headers = { authorization: 'secret-1', 'pullwire-key': 'secret-2', cookie: 'secret-3' };
    const lines = linesOf((log) => {
      log.info(headers, 'flat');
      log.info({ headers }, 'below');
    });
    expect(JSON.stringify(lines)).not.toContain('secret');
    expect(JSON.stringify(lines)).toContain('[Redacted]');
  });
});
