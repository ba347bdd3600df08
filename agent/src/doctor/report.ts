import type { CheckLine, CheckState } from './check.ts';
import { exitCodeOf } from './run-checks.ts';

const states: readonly CheckState[] = ['failed', 'warning', 'ok', 'skipped'];

/** For people: a table, what to do below each line that needs it, and the counts. */
export function tableOf(lines: readonly CheckLine[]): string {
  const rows = [
    ['COMPONENT', 'TARGET', 'STATE', 'DETAILS'],
    ...lines.flatMap(({ component, target, state, details, advice }) => [
      [component, target, state, details],
      ...(advice === undefined ? [] : [['', '', '', `→ ${advice}`]]),
    ]),
  ];
  const widths = [0, 1, 2].map((column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const text = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${text.join('\n')}\n\n${countsOf(lines)}\n`;
}

/** For programs: `state` of the whole, and the lines as they are. */
export function jsonOf(lines: readonly CheckLine[]): string {
  const worst = states.find((state) => lines.some((line) => line.state === state));
  const state = worst === 'failed' || worst === 'warning' ? worst : 'ok';
  return `${JSON.stringify({ state, exitCode: exitCodeOf(lines), checks: lines }, undefined, 2)}\n`;
}

function countsOf(lines: readonly CheckLine[]): string {
  return states
    .map((state) => `${lines.filter((line) => line.state === state).length} ${state}`)
    .join(', ');
}
