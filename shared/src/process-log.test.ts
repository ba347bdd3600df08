import { describe, expect, it } from 'vitest';
import { infoLines, logTo } from './process-log.ts';

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

  it('has quick lines that look as any other, and keep to the level', () => {
    const fields = { pullId: 'x', path: '/a"b\n', status: 200, code: undefined };
    const [line, quick, ...more] = linesOf((log) => {
      const write = infoLines(log, 'pull');
      log.info(fields, 'pull');
      write(fields);
      log.level = 'warn';
      write(fields);
    });
    expect({ ...quick, time: '' }).toEqual({ ...line, time: '' });
    expect(Object.keys(quick)).toEqual(Object.keys(line));
    expect(more).toEqual([]);
  });

  it('leaves out what is below its level', () => {
    expect(linesOf((log) => log.debug('x'))).toEqual([]);
  });

  it('never shows a credential', () => {
    const headers = {
      authorization: 'secret-1',
      'proxy-authorization': 'secret-2',
      cookie: 'secret-3',
    };
    const lines = linesOf((log) => {
      log.info(headers, 'flat');
      log.info({ headers }, 'below');
      log.info({ token: 'secret-4' }, 'token');
    });
    expect(JSON.stringify(lines)).not.toContain('secret');
    expect(JSON.stringify(lines)).toContain('[Redacted]');
  });
});
