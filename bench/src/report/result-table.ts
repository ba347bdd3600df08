import { type CaseName, caseNames, cases } from '../case.ts';
import type { System, SystemName } from '../system/system.ts';
import { type Figure, findFigure, rateOf } from './figure.ts';
import type { Report } from './findings.ts';
import { markdownTable, type Row } from './markdown-table.ts';
import { formatNumber } from './number.ts';

const nothing = '–';
const reference = 'nginx';

/** Rates and latencies: a column a system. */
export function rateTable(report: Report): string {
  const rows = caseNames
    .filter((name) => wasMeasured(report, name))
    .flatMap((name) => caseRows(report, name));
  return tableOf(report.systems, 'case', rows);
}

/** CPU time and memory: a column a system. */
export function usageTable(report: Report): string {
  const { systems } = report;
  const rows: Row[] = [];
  if (wasMeasured(report, '200b-32')) {
    const of = (figure: Figure): number => figure.cpuSecondsPer10kRequests;
    rows.push(ratioRow(report, 'CPU s for 10,000 requests (200 B, 32)', '200b-32', of));
  }
  if (wasMeasured(report, '1gb')) {
    const of = (figure: Figure): number => figure.cpuSecondsPerGigabyte;
    rows.push(ratioRow(report, 'CPU s for 1 GB', '1gb', of));
  }
  const idle = systems.map(({ name }) =>
    megabytes(report.idleMemory.find(({ system }) => system === name)?.residentBytes),
  );
  rows.push(['memory idle, MB', ...idle]);
  rows.push([
    'memory under load, MB',
    ...systems.map(({ name }) => megabytes(highest(report, name))),
  ]);
  return tableOf(systems, 'cost', rows);
}

function tableOf(
  systems: readonly Pick<System, 'title'>[],
  first: string,
  rows: readonly Row[],
): string {
  return markdownTable([first, ...systems.map(({ title }) => title)], rows);
}

function wasMeasured({ figures }: Report, name: CaseName): boolean {
  return figures.some((figure) => figure.case === name);
}

function caseRows(report: Report, name: CaseName): Row[] {
  const { title, kind, unit } = cases[name];
  const rate = ratioRow(report, `${title}: ${unit}`, name, rateOf);
  if (kind === 'transfer') return [rate];
  return [rate, row(report, '– p50 / p99, ms', name, latencies)];
}

function latencies({ p50Ms = 0, p99Ms = 0 }: Figure): string {
  return `${formatNumber(p50Ms)} / ${formatNumber(p99Ms)}`;
}

function ratioRow(
  report: Report,
  title: string,
  name: CaseName,
  of: (figure: Figure) => number,
): Row {
  const proxy = findFigure(report.figures, reference, name);
  return row(report, title, name, (figure) => {
    const value = formatNumber(of(figure));
    return proxy === undefined ? value : `${value} (${(of(figure) / of(proxy)).toFixed(2)})`;
  });
}

function row(report: Report, title: string, name: CaseName, cell: (figure: Figure) => string): Row {
  const cells = report.systems.map((system) => {
    const figure = findFigure(report.figures, system.name, name);
    return figure === undefined ? nothing : cell(figure);
  });
  return [title, ...cells];
}

/** The most that each part took in any case. */
function highest({ figures }: Report, system: SystemName): Record<string, number> {
  const most: Record<string, number> = {};
  for (const figure of figures) {
    if (figure.system !== system) continue;
    for (const [part, bytes] of Object.entries(figure.residentBytes)) {
      most[part] = Math.max(most[part] ?? 0, bytes);
    }
  }
  return most;
}

/** `relay 92 + agent 60`, or the figure alone where there is one part. */
function megabytes(residentBytes: Readonly<Record<string, number>> | undefined): string {
  const parts = Object.entries(residentBytes ?? {});
  if (parts.length === 0) return nothing;
  return parts
    .map(([part, bytes]) => {
      const value = String(Math.round(bytes / 1e6));
      return parts.length === 1 ? value : `${part} ${value}`;
    })
    .join(' + ');
}
