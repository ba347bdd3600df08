import type { FrameReceiver } from '../session/frame-receiver.ts';
import { ownerOf } from './connection-owner.ts';
import type { MessageEvent, RouteResult } from './event.ts';

export interface MessageParts {
  readonly receiver: Pick<FrameReceiver, 'receive'>;
  /** A reply channel has nothing to say here: its keep-alives are answered by the gateway. */
  fromChannel(): void;
}

/** `$default`: one message of an agent. */
export function createMessage({ receiver, fromChannel }: MessageParts) {
  return async ({ requestContext, body }: MessageEvent): Promise<RouteResult> => {
    const owner = ownerOf(requestContext);
    if (owner.role === 'agent') await receiver.receive(owner.link, body ?? '');
    else fromChannel();
    return { statusCode: 200 };
  };
}
