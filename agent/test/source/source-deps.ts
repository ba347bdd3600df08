import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '@pullwire/shared';
import { openSource } from '../../src/source/open-source.ts';
import type { Source } from '../../src/source/source.ts';
import { parseSources } from '../../src/source/source-config.ts';
import type { SourceDeps } from '../../src/source/source-deps.ts';

export function depsWith(more: Partial<SourceDeps> = {}): SourceDeps {
  return { clock: systemClock, env: { PATH: process.env.PATH }, readFile: readFileSync, ...more };
}

/** Opens a source the way the agent does: from what stands in its configuration file. */
export function openFrom(
  config: object,
  more: Partial<SourceDeps> & { clock?: Clock } = {},
): Source {
  const result = parseSources({ test: config });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  const parsed = result.sources.get('test');
  if (parsed === undefined) throw new Error('not parsed');
  return openSource('test', parsed, depsWith(more));
}
