import { splitPath } from '../../src/policy/path-rule.ts';
import type { SourceRequest } from '../../src/source/source.ts';

/** A request as the pull hands it to a source: `target` is a path with its query. */
export function sourceRequest(target: string, more: Partial<SourceRequest> = {}): SourceRequest {
  const at = target.indexOf('?');
  const path = at === -1 ? target : target.slice(0, at);
  return {
    pullId: 'AAECAwQFBgcICQoLDA0ODw',
    caller: 'ops',
    method: 'GET',
    path,
    segments: splitPath(path),
    query: at === -1 ? undefined : target.slice(at + 1),
    headers: [],
    body: undefined,
    budgetMs: 20_000,
    ...more,
  };
}
