import { type Clock, headerValue } from '@pullwire/shared';
import { ObjectStoreError } from '../object/object-store-error.ts';
import { orUnavailable } from '../presence/or-unavailable.ts';
import type { GrantedRequest } from '../pull/granted-request.ts';
import type { UploadedBody } from '../pull/uploaded-body.ts';
import { type ArrivingRequestOptions, arrivedRequest } from './arriving-request.ts';
import { requestNote } from './kept-body.ts';
import type { LargeBodies } from './large-bodies.ts';
import type { QueueSettings } from './queue-settings.ts';
import type { QueueStore } from './queue-store.ts';
import { noRoomForRequest, requestNotStored } from './queued-fault.ts';
import { frameRoom } from './queued-frame.ts';
import type { QueuedPull } from './queued-pull.ts';
import { withBody } from './queued-request.ts';

export interface RequestIntakeOptions {
  readonly store: Pick<QueueStore, 'addPull'>;
  readonly large: LargeBodies;
  readonly clock: Clock;
  readonly settings: Pick<QueueSettings, 'requestBytes'>;
}

/** Takes requests into the queue, each with its body: in the table where it fits the pull's frame, else beside it. */
export class RequestIntake {
  readonly #options: RequestIntakeOptions;

  constructor(options: RequestIntakeOptions) {
    this.#options = options;
  }

  /** The pull as it is queued. Rejects with `PullFault`: then nothing of it stays. */
  async take(
    pull: QueuedPull,
    { exchange }: GrantedRequest,
    upload: UploadedBody | undefined,
  ): Promise<QueuedPull> {
    const { large, store, clock, settings } = this.#options;
    const arrived = await arrivedRequest({
      incoming: upload?.incoming ?? exchange,
      smallBytes: frameRoom(pull),
      mostBytes: settings.requestBytes,
      clock,
      store: (bytes, content) => this.#store(pull, bytes, content),
    });
    const declared = headerValue(exchange.headers, 'content-length') !== undefined;
    const whole = withBody(pull, arrived, declared);
    try {
      await orUnavailable(store.addPull(whole));
    } catch (error) {
      const { owner, key } = requestNote(pull, 0);
      if (whole.besideBytes !== undefined) await large.drop(owner, key);
      throw error;
    }
    return whole;
  }

  async #store(
    pull: QueuedPull,
    ...[bytes, content]: Parameters<ArrivingRequestOptions['store']>
  ): Promise<void> {
    const { large } = this.#options;
    const note = requestNote(pull, bytes);
    if (!(await orUnavailable(large.note(note)))) throw noRoomForRequest(large.perCallerBytes);
    try {
      await large.write(note.key, content);
      if (content.total < bytes) await orUnavailable(large.note({ ...note, bytes: content.total }));
    } catch (error) {
      await large.drop(note.owner, note.key);
      throw error instanceof ObjectStoreError ? requestNotStored(error) : error;
    }
  }
}
