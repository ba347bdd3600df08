import { type ErrorCode, errorCodes, isRetrySafe, type PullFault } from '@pullwire/shared';
import type { HttpAnswer } from './exchange.ts';

/** Whose answer it is: the value of `Pullwire-Answered-By`. */
export type AnsweredBy = 'upstream' | 'agent' | 'relay';

export interface ProblemContext {
  readonly method: string;
  readonly answeredBy: AnsweredBy;
  readonly pullId?: string | undefined;
  /** Further headers, such as `Allow`. */
  readonly headers?: readonly string[];
}

/** The page that explains a code; relative, so that it names no host (RFC 9457 §3.1.1). */
const typeOf = (code: ErrorCode): string => `/docs/errors#${code}`;

/**
 * A fault as problem+json (RFC 9457): `code` and `stage` say what happened and how far the pull came, `retrySafe`
 * whether the same request may be sent again without acting twice.
 */
export function problem(fault: PullFault, context: ProblemContext): HttpAnswer {
  const { status, title } = errorCodes[fault.code];
  const body = {
    ...fault.extra, // first, so that no agent can overwrite what the relay says
    type: typeOf(fault.code),
    title,
    status,
    detail: fault.message,
    code: fault.code,
    stage: fault.stage,
    retrySafe: isRetrySafe(fault.code, context.method),
    ...(context.pullId === undefined ? undefined : { pullId: context.pullId }),
  };
  return {
    status,
    headers: problemHeaders(fault, context),
    body: Buffer.from(`${JSON.stringify(body)}\n`),
    code: fault.code,
  };
}

function problemHeaders(fault: PullFault, context: ProblemContext): string[] {
  const headers = [
    'Content-Type',
    'application/problem+json',
    'Cache-Control',
    'no-store',
    'Pullwire-Answered-By',
    context.answeredBy,
  ];
  if (context.pullId !== undefined) headers.push('Pullwire-Pull', context.pullId);
  if (fault.status === 401) headers.push('WWW-Authenticate', 'Bearer realm="pullwire"');
  if (fault.retryAfterMs !== undefined) {
    headers.push('Retry-After', String(Math.max(1, Math.ceil(fault.retryAfterMs / 1_000))));
  }
  if (context.headers !== undefined) headers.push(...context.headers);
  return headers;
}

/** JSON made by the relay. */
export function jsonAnswer(status: number, value: unknown): HttpAnswer {
  return {
    status,
    headers: [
      'Content-Type',
      'application/json',
      'Cache-Control',
      'no-store',
      'Pullwire-Answered-By',
      'relay',
    ],
    body: Buffer.from(`${JSON.stringify(value)}\n`),
  };
}
