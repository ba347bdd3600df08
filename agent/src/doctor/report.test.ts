import { describe, expect, it } from 'vitest';
import type { CheckLine } from './check.ts';
import { jsonOf, tableOf } from './report.ts';

const lines: readonly CheckLine[] = [
  { component: 'dns', target: 'relay.example', state: 'ok', details: '192.0.2.7 (4 ms)' },
  {
    ...{ component: 'tcp', target: 'relay.example:443', state: 'failed', details: 'no connection' },
    advice: 'open port 443',
  },
];

describe('tableOf', () => {
  it('has a column each, what to do below its line, and the counts', () => {
    expect(tableOf(lines)).toBe(
      [
        'COMPONENT  TARGET             STATE   DETAILS',
        'dns        relay.example      ok      192.0.2.7 (4 ms)',
        'tcp        relay.example:443  failed  no connection',
        '                                      → open port 443',
        '',
        '1 failed, 0 warning, 1 ok, 0 skipped',
        '',
      ].join('\n'),
    );
  });
});

describe('jsonOf', () => {
  it.each([
    ['failed', 2, lines],
    ['ok', 0, lines.slice(0, 1)],
  ])('is %s with exit code %i', (state, exitCode, some) => {
    expect(JSON.parse(jsonOf(some))).toEqual({ state, exitCode, checks: some });
  });
});
