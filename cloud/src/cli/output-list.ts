import type { CliContext } from './cli-context.ts';

export interface Column<T> {
  readonly title: string;
  readonly text: (item: T) => string;
}

/** Prints a JSON array, item by item: nothing is held that was printed. */
export async function printJson(
  items: AsyncIterable<unknown>,
  out: CliContext['out'],
): Promise<void> {
  let between = '[\n';
  for await (const item of items) {
    out(`${between}  ${JSON.stringify(item)}`);
    between = ',\n';
  }
  out(between === '[\n' ? '[]\n' : '\n]\n');
}

/** Prints a table for people. */
export async function printTable<T>(
  items: AsyncIterable<T>,
  columns: readonly Column<T>[],
  out: CliContext['out'],
): Promise<void> {
  const rows = [columns.map((column) => column.title)];
  for await (const item of items) rows.push(columns.map((column) => column.text(item)));
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, at) => cell.padEnd(widths[at] ?? 0));
    out(`${cells.join('  ').trimEnd()}\n`);
  }
}

/** `2026-11-24 23:00:00Z`, of milliseconds since the epoch. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace(/\.\d+/, '');
}
