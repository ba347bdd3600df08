import type { Draft, Envelope } from './envelope.ts';
import { type Stage, stages } from './error-code.ts';
import { checkBudget, checkCode, checkObject, checkReplyTo, nameLimit } from './field.ts';
import { detailLimit, extraLimit } from './limit.ts';
import type { Fault } from './message.ts';
import { checkPullId } from './pull-id.ts';
import { refuse } from './wire-error.ts';

type Extra = Readonly<Record<string, string | number>>;

export function readFault({ pullId, replyTo, fields }: Envelope): Fault {
  const fault: Draft<Fault> = {
    action: 'fault',
    pullId: checkPullId(pullId),
    replyTo: checkReplyTo(replyTo),
    code: checkCode(fields.code),
    stage: readStage(fields.stage),
    detail: readDetail(fields.detail),
  };
  if (fields.retryAfterMs !== undefined) {
    fault.retryAfterMs = checkBudget(fields.retryAfterMs, 'retryAfterMs');
  }
  if (fields.extra !== undefined) fault.extra = readExtra(fields.extra);
  return fault;
}

/**
 * The same fault within the limits of the wire: `detail` is cut, and of `extra` the entries that fit are kept. An end
 * that cannot be sent would leave the caller waiting for the deadline, which is worse than a shorter sentence.
 */
export function fitFault(fault: Fault): Fault {
  const { detail, extra } = fault;
  if (detail.length <= detailLimit && (extra === undefined || extraFits(extra))) return fault;
  return {
    ...fault,
    detail: detail.length <= detailLimit ? detail : `${detail.slice(0, detailLimit - 1)}…`,
    ...(extra === undefined ? undefined : { extra: fitExtra(extra) }),
  };
}

/** A stage that only a newer agent knows says no more than that the pull ended on its way. */
function readStage(value: unknown): Stage {
  if (typeof value !== 'string') refuse('stage', 'text');
  return (stages as readonly string[]).includes(value) ? (value as Stage) : 'stream';
}

function readDetail(value: unknown): string {
  if (typeof value !== 'string' || value.length > detailLimit) {
    refuse('detail', `text of at most ${detailLimit} characters`);
  }
  return value;
}

function readExtra(value: unknown): Extra {
  const extra: Record<string, string | number> = {};
  for (const [key, entry] of Object.entries(checkObject(value, 'extra'))) {
    if (key === '__proto__') continue;
    if (typeof entry !== 'string' && !Number.isFinite(entry)) {
      refuse('extra', 'text or numbers as values');
    }
    extra[key] = entry as string | number;
  }
  if (!extraFits(extra)) {
    refuse(
      'extra',
      `at most ${extraLimit.entries} entries of ${extraLimit.chars} characters in all`,
    );
  }
  return extra;
}

function extraFits(extra: Extra): boolean {
  const entries = Object.entries(extra);
  return (
    entries.length <= extraLimit.entries &&
    entries.every(([key]) => key.length <= nameLimit) &&
    entries.reduce((sum, entry) => sum + entryChars(entry), 0) <= extraLimit.chars
  );
}

const entryChars = ([key, value]: [string, string | number]): number =>
  key.length + String(value).length;

function fitExtra(extra: Extra): Extra {
  const kept: [string, string | number][] = [];
  let chars = 0;
  for (const entry of Object.entries(extra)) {
    if (kept.length === extraLimit.entries || entry[0].length > nameLimit) continue;
    if (chars + entryChars(entry) > extraLimit.chars) continue;
    chars += entryChars(entry);
    kept.push(entry);
  }
  return Object.fromEntries(kept);
}
