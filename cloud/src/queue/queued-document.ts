import type { HttpAnswer } from '../http/exchange.ts';
import { jsonAnswer, problem } from '../http/problem.ts';
import { queuedPullPath } from '../http/routes.ts';
import { faultOf } from './queued-fault.ts';
import type { QueuedPull } from './queued-pull.ts';

/** The state of a queued pull as JSON; `problem` says why one has no result, in the form of RFC 9457. */
export function stateAnswer(
  pull: QueuedPull,
  status = 200,
  headers: readonly string[] = [],
): HttpAnswer {
  const answer = jsonAnswer(status, document(pull));
  return { ...answer, headers: [...answer.headers, ...headers, ...retryAfter(pull)] };
}

/** Why the pull has no result, as the answer in its place; undefined where it has one. */
export function problemAnswer(pull: QueuedPull): HttpAnswer | undefined {
  const why = faultOf(pull);
  if (why === undefined) return undefined;
  const [fault, answeredBy] = why;
  return problem(fault, { method: pull.method, answeredBy, pullId: pull.sending?.sentAs });
}

function document(pull: QueuedPull) {
  const { device, source, method, path, state, sending, end } = pull;
  const location = queuedPullPath(pull);
  const failed = problemAnswer(pull);
  return {
    id: location.slice('/pulls/'.length),
    state,
    device,
    source,
    method,
    path,
    queuedAt: iso(pull.queuedAt),
    deadline: iso(pull.deadlineAt),
    sentAt: sending && iso(sending.sentAt),
    endedAt: end && iso(end.endedAt),
    status: end?.reply?.status,
    bytes: end?.reply?.bytes,
    result: state === 'done' ? `${location}/result` : undefined,
    keptUntil: end && iso(pull.keptUntil),
    problem: failed && (JSON.parse(Buffer.from(failed.body).toString()) as object),
  };
}

/** Seconds: a hint for whoever asks again (RFC 9110 §10.2.3). */
function retryAfter({ state }: QueuedPull): readonly string[] {
  if (state === 'queued') return ['Retry-After', '5'];
  return state === 'sent' ? ['Retry-After', '1'] : [];
}

const iso = (ms: number): string => new Date(ms).toISOString();
