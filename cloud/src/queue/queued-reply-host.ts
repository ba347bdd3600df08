import { pullIdPattern } from '@pullwire/shared';
import type { PullRef } from './queued-pull.ts';

/** No id of a process or a reply channel holds a slash. */
const prefix = 'pull/';

/** The host part of a `replyTo` that names the store in place of a process: where the reply to this pull is kept. */
export function replyHostOf({ id }: PullRef): string {
  return prefix + id;
}

/** The id of the queued pull that a host part names; undefined where it names a process. */
export function queuedPullOf(host: string): string | undefined {
  const id = host.startsWith(prefix) ? host.slice(prefix.length) : '';
  return pullIdPattern.test(id) ? id : undefined;
}
