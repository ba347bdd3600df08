import type { IdleLinkCost } from '../idle-link/idle-link-cost.ts';
import { figuresOf } from './figure.ts';
import type { Findings, Report } from './findings.ts';
import { machineLine } from './machine.ts';
import { formatNumber } from './number.ts';
import { rateTable, usageTable } from './result-table.ts';
import { targetLine, targetsOf } from './target.ts';

export function reportOf(findings: Findings): Report {
  const figures = figuresOf(findings.measurements);
  return { ...findings, figures, targets: targetsOf(figures, findings.idleLinks) };
}

/** The whole of it as Markdown. */
export function renderReport(report: Report): string {
  const { startedAt, machine, settings, systems, idleLinks, skipped, targets } = report;
  const sections = [
    `# Bench, ${startedAt}`,
    machineLine(machine),
    `Medians of ${settings['rounds']} rounds of ${settings['seconds']} s; in brackets: of the nginx proxy's figure.`,
    ...(systems.length === 0 ? [] : [rateTable(report), usageTable(report)]),
    ...idleLinks.map(idleLinkLine),
    noiseLine(report),
    ...skipped.map(({ name, why }) => `Not measured: ${name}: ${why}.`),
    ...errorLines(report),
  ];
  if (targets.length > 0) sections.push(['```', ...targets.map(targetLine), '```'].join('\n'));
  return sections.filter((section) => section !== '').join('\n\n');
}

function idleLinkLine({
  system,
  links,
  perLinkBytes,
  beforeBytes,
  afterBytes,
}: IdleLinkCost): string {
  const [before, after] = [beforeBytes, afterBytes].map((bytes) => formatNumber(bytes / 1e6));
  const how = system === 'pullwire' ? 'in the clear' : 'over TLS';
  const each = formatNumber(perLinkBytes / 1_000);
  return `An idle link ${how} costs the relay ${each} KB (${links} links: ${before} → ${after} MB).`;
}

function noiseLine({ figures }: Report): string {
  const worst = figures
    .filter(({ system }) => system === 'nginx')
    .sort((a, b) => b.spread - a.spread)[0];
  if (worst === undefined || worst.spread === 0) return '';
  const percent = formatNumber(worst.spread * 100);
  return `Noise: the nginx proxy's own rounds lie up to ${percent} % apart (${worst.case}).`;
}

function errorLines({ figures }: Report): string[] {
  return figures
    .filter(({ errors }) => errors > 0)
    .map(({ system, case: name, errors }) => `Errors: ${errors} of ${system} in ${name}.`);
}
