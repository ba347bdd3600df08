import { markdownTable } from '../report/markdown-table.ts';
import { type Category, categoryOf } from './category.ts';
import type { SelfTime } from './cpu-profile.ts';
import type { SourcePosition, SourcePositions } from './source-position.ts';

export interface FunctionTime extends SourcePosition {
  readonly category: Category;
  readonly micros: number;
}

/** Where one thread's time went: most first. */
export interface ProfileSummary {
  readonly totalMicros: number;
  readonly busyMicros: number;
  readonly categories: readonly { readonly category: Category; readonly micros: number }[];
  readonly functions: readonly FunctionTime[];
}

export function summarise(
  times: readonly SelfTime[],
  positions: Pick<SourcePositions, 'of'>,
): ProfileSummary {
  const functions = new Map<string, FunctionTime>();
  for (const { frame, callers, micros } of times) {
    const position = positions.of(frame);
    const category = categoryOf(
      position,
      callers.map((caller) => positions.of(caller)),
    );
    const key = `${position.name} ${position.file}:${position.line} ${category}`;
    const before = functions.get(key)?.micros ?? 0;
    functions.set(key, { ...position, category, micros: before + micros });
  }
  const all = [...functions.values()].sort((a, b) => b.micros - a.micros);
  const categories = [...Map.groupBy(all, ({ category }) => category)]
    .map(([category, group]) => ({ category, micros: sum(group) }))
    .sort((a, b) => b.micros - a.micros);
  const busy = all.filter(({ category }) => category !== 'idle');
  return { totalMicros: sum(all), busyMicros: sum(busy), categories, functions: busy };
}

function sum(times: readonly { readonly micros: number }[]): number {
  return times.reduce((total, { micros }) => total + micros, 0);
}

/** What a profile alone does not tell. */
export interface ProfiledLoad {
  readonly requests: number;
  /** Of the whole process, by the kernel's account: a sample also counts while the thread waits for a core. */
  readonly cpuSeconds: number;
}

/** Two tables: by category, and the functions with the most time of their own; both with the CPU time a request. */
export function renderSummary(title: string, summary: ProfileSummary, load: ProfiledLoad): string {
  const { totalMicros, busyMicros, categories, functions } = summary;
  const perRequest = (load.cpuSeconds * 1e6) / load.requests;
  const cells = (micros: number): string[] => {
    const part = micros / busyMicros;
    return [`${(100 * part).toFixed(1)} %`, (part * perRequest).toFixed(2)];
  };
  const rows = categories
    .filter(({ category }) => category !== 'idle')
    .map(({ category, micros }) => [category, ...cells(micros)]);
  const top = functions
    .slice(0, 25)
    .map(({ name, file, line, category, micros }) => [
      `${name} ${file === '' ? '(native)' : `${file}:${line}`}`,
      ...cells(micros),
      category,
    ]);
  const busy = ((100 * busyMicros) / totalMicros).toFixed(0);
  const requests = load.requests.toLocaleString('en-US');
  return [
    `## ${title}`,
    `${perRequest.toFixed(1)} µs of CPU time a request over ${requests} requests; busy ${busy} % of the time.`,
    markdownTable(['spent on', 'of busy time', 'µs a request'], rows),
    markdownTable(['function', 'of busy time', 'µs a request', 'counts as'], top),
  ].join('\n\n');
}
