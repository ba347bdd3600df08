import { AllowList, type AllowRule } from '../policy/allow-list.ts';
import { splitPath } from '../policy/path-rule.ts';

/** What may be asked of a source to see whether it answers. */
export interface Probe {
  readonly method: 'HEAD' | 'GET';
  /** Raw. */
  readonly path: string;
}

/**
 * A request that the rules let through, HEAD rather than GET; undefined where they name none: patterns with `*` do not say
 * which paths there are, except that `/**` covers what stands before it.
 */
export function allowedProbe(rules: readonly AllowRule[]): Probe | undefined {
  const list = new AllowList(rules.map(({ methods, paths }) => ({ methods, paths })));
  const paths = rules.flatMap((rule) => rule.paths).flatMap((pattern) => plainPath(pattern) ?? []);
  for (const method of ['HEAD', 'GET'] as const) {
    const path = paths.find((known) => list.allows(method, splitPath(known), ''));
    if (path !== undefined) return { method, path };
  }
  return undefined;
}

/** The raw path of a pattern without wildcards. */
function plainPath(pattern: string): string | undefined {
  const text = pattern.endsWith('/**') ? pattern.slice(0, -'**'.length) : pattern;
  if (text.includes('*') || text.includes(';')) return undefined;
  return text.split('/').map(encodeURIComponent).join('/');
}
