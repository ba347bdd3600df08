import type { LambdaSize } from './lambda-size.ts';
import { median } from './lambda-start.ts';

/** An empty handler's start, with which the others are compared. */
export const emptyName = 'empty handler';

/** Issue 4, "Shows" 6. */
export const startLimit = 2.5;

export interface StartReport {
  readonly text: string;
  /** Functions that start more slowly than they may. */
  readonly slow: readonly string[];
}

/** `times`: milliseconds of each round, by function, the empty handler's among them. */
export function reportStarts(
  times: ReadonlyMap<string, readonly number[]>,
  sizes: readonly LambdaSize[],
): StartReport {
  const base = median(times.get(emptyName) ?? []);
  const rows = [...times].map(([name, values]) => {
    const size = sizes.find((one) => one.name === name);
    return { name, ms: median(values), ratio: median(values) / base, size };
  });
  const slow = rows.filter(({ ratio }) => !(ratio <= startLimit)).map(({ name }) => name);
  const lines = rows.map(({ name, ms, ratio, size }) =>
    [
      name.padEnd(14),
      `${ms.toFixed(1).padStart(7)} ms`,
      `${ratio.toFixed(2)}x`.padStart(7),
      size === undefined ? '' : `${kilobytes(size.bytes).padStart(7)}  ${contents(size)}`,
    ].join(' '),
  );
  return { text: ['process start to module ready, medians', ...lines].join('\n'), slow };
}

function contents({ packages }: LambdaSize): string {
  return Object.entries(packages)
    .map(([name, bytes]) => `${name} ${kilobytes(bytes)}`)
    .join(', ');
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(bytes < 10_000 ? 1 : 0)} KB`;
}
