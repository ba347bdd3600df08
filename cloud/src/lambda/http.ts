import type { Clock } from '@pullwire/shared';
import type { Front } from '../http/front.ts';
import type { AnswerWay } from './answer-way.ts';
import type { CallerEvent, LambdaContext } from './event.ts';
import { LambdaExchange } from './lambda-exchange.ts';
import type { PendingWork } from './pending-work.ts';

export interface HttpParts {
  readonly front: Pick<Front, 'handle'>;
  readonly work: PendingWork;
  readonly clock: Clock;
  /** An invocation begins, and may take so long; what it returns is called at its end. */
  begun(remainingMs: number): () => void;
}

export type HttpHandler = (
  event: CallerEvent,
  way: AnswerWay,
  context: Pick<LambdaContext, 'getRemainingTimeInMillis'>,
) => Promise<void>;

/** The door for callers: every path goes through `cloud/src/http/`, as on the one-box server. */
export function createHttp({ front, work, clock, begun }: HttpParts): HttpHandler {
  return async (event, way, context) => {
    const exchange = new LambdaExchange(event, way, clock);
    const ended = begun(context.getRemainingTimeInMillis());
    try {
      front.handle(exchange);
      await exchange.finished;
    } finally {
      ended();
      await work.settled();
    }
  };
}
