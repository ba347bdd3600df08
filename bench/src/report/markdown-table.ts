export type Row = readonly string[];

/**
 * A Markdown table (GitHub's) that is also readable as it is: the first column to the left, the others to the right.
 */
export function markdownTable(head: Row, rows: readonly Row[]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => textOf(row, column).length)),
  );
  const line = (row: Row): string =>
    `| ${widths.map((width, column) => pad(textOf(row, column), width, column)).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

function textOf(row: Row, column: number): string {
  return (row[column] ?? '').replaceAll('|', '\\|');
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}
