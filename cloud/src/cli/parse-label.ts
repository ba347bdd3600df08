import { labelLimit } from '@pullwire/shared';
import { UsageError } from './usage-error.ts';

const labelPattern = /^([A-Za-z0-9][A-Za-z0-9._/-]{0,63})=([^\p{Cc}]{0,256})$/u;

/** Reads `name=value`, each. Throws `UsageError`. */
export function parseLabels(texts: readonly string[]): Record<string, string> {
  const labels = texts.map((text) => {
    const match = labelPattern.exec(text);
    if (match === null) throw new UsageError(`--label must be name=value, not "${text}"`);
    return [match[1] ?? '', match[2] ?? ''] as const;
  });
  if (labels.length > labelLimit) throw new UsageError(`--label: at most ${labelLimit} labels`);
  return Object.fromEntries(labels);
}

/** Labels as they were given. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
