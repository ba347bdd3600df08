import { type HeaderList, headerValue } from '@pullwire/shared';

/**
 * Which of these media types the request likes best (RFC 9110 §12.5.1), the first where it likes some alike; undefined
 * where it takes none of them. Parameters of types are not looked at.
 */
export function preferredType<T extends string>(
  headers: HeaderList,
  offered: readonly T[],
): T | undefined {
  const accept = headerValue(headers, 'accept');
  if (accept === undefined || accept.trim() === '') return offered[0];
  const ranges = accept.toLowerCase().split(',').map(readRange);
  let best: T | undefined;
  let bestWeight = 0;
  for (const type of offered) {
    const weight = weightOf(type, ranges);
    if (weight > bestWeight) [best, bestWeight] = [type, weight];
  }
  return best;
}

interface Range {
  readonly type: string;
  readonly weight: number;
}

function readRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim());
  const weight = parameters.find((part) => part.startsWith('q='));
  const value = weight === undefined ? 1 : Number(weight.slice(2));
  return { type, weight: value >= 0 && value <= 1 ? value : 0 };
}

/** The most specific range that takes the type counts. */
function weightOf(type: string, ranges: readonly Range[]): number {
  const names = [type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*'];
  for (const name of names) {
    const range = ranges.find((candidate) => candidate.type === name);
    if (range !== undefined) return range.weight;
  }
  return 0;
}
