import type { Clock } from '@pullwire/shared';
import type { Callers } from '../auth/callers.ts';
import type { Exchange, HttpAnswer } from '../http/exchange.ts';
import { preferredWaitMs } from '../http/prefer.ts';
import { queuedPullPath } from '../http/routes.ts';
import { orUnavailable } from '../presence/or-unavailable.ts';
import type { GrantedRequest } from '../pull/granted-request.ts';
import type { PullLater } from '../pull/pull-service.ts';
import type { UploadedBody } from '../pull/uploaded-body.ts';
import { KeptAnswer } from './kept-answer.ts';
import type { LargeBodies } from './large-bodies.ts';
import type { QueueDelivery } from './queue-delivery.ts';
import type { QueueEnds } from './queue-ends.ts';
import type { QueueLog } from './queue-events.ts';
import type { QueueSettings } from './queue-settings.ts';
import type { QueueStore } from './queue-store.ts';
import { problemAnswer, stateAnswer } from './queued-document.ts';
import { pullPending, pullUnknown, queueFull } from './queued-fault.ts';
import type { PullRef, QueuedPull } from './queued-pull.ts';
import { queuedRequest } from './queued-request.ts';
import { RequestIntake } from './request-intake.ts';

export interface PullQueueOptions {
  readonly callers: Callers;
  readonly store: QueueStore;
  readonly delivery: Pick<QueueDelivery, 'deliver' | 'settle' | 'cancel'>;
  readonly ends: QueueEnds;
  readonly large: LargeBodies;
  readonly clock: Clock;
  readonly log: QueueLog;
  readonly settings: QueueSettings;
  /** Milliseconds that a reply may take once its pull was sent, and that a caller may wait for it. */
  readonly answerMs: number;
  newId(): { readonly id: string; readonly queuedAt: number };
  /** Takes care of work that nobody waits for. */
  track(work: Promise<unknown>): void;
}

/** Milliseconds between two looks at a pull that its caller waits for; each next one is twice as far, up to the second. */
const look = { firstMs: 50, lastMs: 1_000 };

/** Pulls whose callers do not wait (RFC 7240 §4.1): each is kept, and tells its state until its result is fetched. */
export class PullQueue implements PullLater {
  readonly #options: PullQueueOptions;
  readonly #kept: KeptAnswer;
  readonly #intake: RequestIntake;

  constructor(options: PullQueueOptions) {
    this.#options = options;
    this.#kept = new KeptAnswer(options);
    this.#intake = new RequestIntake(options);
  }

  /** 202 with the place to ask; with `wait=N` the result itself, where it comes in that time (RFC 7240 §4.3). */
  async enqueue(request: GrantedRequest, upload: UploadedBody | undefined): Promise<void> {
    const { exchange } = request;
    const { delivery, log, settings, answerMs, newId, track } = this.#options;
    const bare = queuedRequest(request, { settings, answerMs, ...newId() });
    await this.#checkRoom(bare);
    const pull = await this.#intake.take(bare, request, upload);
    log.queued(pull);
    track(delivery.deliver(pull.device));
    const wait = preferredWaitMs(exchange.headers);
    const now = wait === undefined ? pull : await this.#waited(pull, Math.min(wait, answerMs));
    if (now.state !== 'queued' && now.state !== 'sent') {
      return this.#answer(exchange, now, ['Preference-Applied', `wait=${(wait ?? 0) / 1_000}`]);
    }
    const applied = wait === undefined ? 'respond-async' : `respond-async, wait=${wait / 1_000}`;
    const headers = ['Location', queuedPullPath(pull), 'Preference-Applied', applied];
    exchange.answer(stateAnswer(now, 202, headers));
  }

  /** `GET /pulls/{id}`. Rejects with `PullFault`. */
  async show(exchange: Exchange, ref: PullRef): Promise<HttpAnswer> {
    return stateAnswer(await this.#settled(exchange, ref));
  }

  /** `GET /pulls/{id}/result`: the device's own answer, or why there is none. Rejects with `PullFault`. */
  async result(exchange: Exchange, ref: PullRef): Promise<undefined> {
    const pull = await this.#settled(exchange, ref);
    if (pull.state === 'queued' || pull.state === 'sent') throw pullPending(pull);
    await this.#answer(exchange, pull, []);
  }

  /** `DELETE /pulls/{id}`: the state as it is then; one that has ended stays as it ended. Rejects with `PullFault`. */
  async cancel(exchange: Exchange, ref: PullRef): Promise<HttpAnswer> {
    const { ends, delivery } = this.#options;
    let pull = await this.#settled(exchange, ref);
    // It may be sent, or be answered, while its end is written.
    for (let tries = 0; tries < 3 && isOpen(pull); tries += 1) {
      if (await orUnavailable(ends.cancel(pull))) await delivery.cancel(pull);
      pull = await this.#read(pull);
    }
    return stateAnswer(pull);
  }

  async #checkRoom({ device, owner }: QueuedPull): Promise<void> {
    const { store, settings } = this.#options;
    const { perDevice, perCaller } = settings;
    const openOf = async () => {
      const open = await store.openPulls(device, perDevice);
      // Those whose time ran out, and that nobody has asked for since, take no place.
      if (open.length < perDevice) return open;
      return (await Promise.all(open.map((pull) => this.#options.delivery.settle(pull)))).filter(
        isOpen,
      );
    };
    const [ofDevice, ofCaller] = await orUnavailable(
      Promise.all([openOf(), store.countOpen(owner, perCaller)]),
    );
    if (ofDevice.length >= perDevice) {
      throw queueFull('the device', ofDevice.length, 'queue.perDevice');
    }
    if (ofCaller >= perCaller) throw queueFull('this caller', ofCaller, 'queue.perCaller');
  }

  /** The caller's own pull as it stands; what waits is sent where it can be. */
  async #settled(exchange: Exchange, ref: PullRef): Promise<QueuedPull> {
    const { callers, delivery, track } = this.#options;
    const caller = await callers.authenticate(exchange);
    const pull = await this.#read(ref);
    if (pull.owner !== caller.id) throw pullUnknown();
    const settled = await orUnavailable(delivery.settle(pull));
    if (settled.state === 'queued') track(delivery.deliver(settled.device));
    return settled;
  }

  async #read(ref: PullRef): Promise<QueuedPull> {
    const { store, clock } = this.#options;
    const pull = await orUnavailable(store.queuedPull(ref, clock.wall()));
    if (pull === undefined) throw pullUnknown();
    return pull;
  }

  /** The pull at its end, or as it is after that time. */
  async #waited(pull: QueuedPull, ms: number): Promise<QueuedPull> {
    const { clock } = this.#options;
    const until = clock.monotonic() + ms;
    let now = pull;
    for (let pause = look.firstMs; isOpen(now); pause = Math.min(pause * 2, look.lastMs)) {
      const leftMs = until - clock.monotonic();
      if (leftMs <= 0) return now;
      await passed(clock, Math.min(pause, leftMs));
      now = await this.#read(pull);
    }
    return now;
  }

  /** The answer of a pull that has ended. */
  async #answer(exchange: Exchange, pull: QueuedPull, applied: readonly string[]): Promise<void> {
    const failed = problemAnswer(pull);
    if (failed !== undefined) {
      return exchange.answer({ ...failed, headers: [...failed.headers, ...applied] });
    }
    await this.#kept.give(exchange, pull, applied);
  }
}

const isOpen = ({ state }: QueuedPull): boolean => state === 'queued' || state === 'sent';

function passed(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
