import { type Clock, headBytes, headLimitBytes, type Pull, PullFault } from '@pullwire/shared';
import type { Exchange } from '../http/exchange.ts';
import { preferredWaitMs } from '../http/prefer.ts';
import { requestHeaders, uploadedRequestHeaders } from '../http/pull-headers.ts';
import type { ReplyDesk } from '../reply/reply-desk.ts';
import { agentDeadlineMs } from './agent-deadline.ts';
import { CallerPulls } from './caller-pulls.ts';
import type { GrantedRequest } from './granted-request.ts';
import type { ReplyObjects } from './object-transfer.ts';
import { asFault } from './pull-fault.ts';
import { checkGrant } from './pull-grant.ts';
import { PullInFlight } from './pull-in-flight.ts';
import type { FirstTry, PullInFlightOptions } from './pull-in-flight-options.ts';
import type { PullOutcome } from './pull-outcome.ts';
import {
  chooseTarget,
  type PullableDevice,
  type PullableDevices,
  type PullTarget,
  type ReturningPullables,
} from './pull-target.ts';
import { linkFull, noTarget, offline } from './pull-target-fault.ts';
import type { PullTickets } from './pull-tickets.ts';
import type { RequestBodyLimit } from './request-to-agent.ts';
import type { UploadedBody } from './uploaded-body.ts';
import { whenKnown } from './when-known.ts';

export interface PullLimits {
  readonly defaultDeadlineMs: number;
  readonly maxDeadlineMs: number;
  readonly requestBodyBytes: number;
  readonly pullsPerLink: number;
  /** In flight in this process for one caller; undefined: the host counts otherwise. */
  readonly pullsPerCaller?: number | undefined;
}

/** Gives each reply its first credit, in bytes, and takes it back at its end. */
export interface ReplyWindows {
  take(): number;
  give(bytes: number): void;
}

export interface PullDispatchOptions {
  readonly devices: PullableDevices;
  /** Undefined where nobody can tell whether a device comes back. */
  readonly returning?: ReturningPullables | undefined;
  readonly replies: ReplyDesk;
  readonly clock: Clock;
  readonly limits: PullLimits;
  readonly tickets: Pick<PullTickets, 'next'>;
  readonly windows: ReplyWindows;
  readonly objects?: ReplyObjects;
  /** From 0, below 1: which of several links that are equally loaded. */
  random(): number;
  ended(outcome: PullOutcome): void;
}

/** What a request brings along, however its body came. */
export interface RequestBody {
  readonly limit: RequestBodyLimit;
  readonly upload: UploadedBody | undefined;
}

/** Sends a granted request down a link of its device; once more down another one, where the first gives no answer. */
export class PullDispatch {
  readonly #options: PullDispatchOptions;
  readonly #callerPulls: CallerPulls;

  constructor(options: PullDispatchOptions) {
    this.#options = options;
    this.#callerPulls = new CallerPulls(options.limits.pullsPerCaller);
  }

  /** Callers that have pulls in flight: as many as are counted. */
  get busyCallers(): number {
    return this.#callerPulls.size;
  }

  /** Throws `PullFault` where nothing was begun. */
  begin(request: GrantedRequest, { limit, upload }: RequestBody): void {
    const { exchange, route, caller, device } = request;
    const target = this.#target(device, route.source);
    this.#callerPulls.check(caller.id);
    const deadlineMs = Math.max(1, this.deadlineOf(exchange) - request.heldMs);
    const running = new PullInFlight({
      pull: this.#pull(request, upload, deadlineMs),
      request,
      target,
      clock: this.#options.clock,
      deadlineMs,
      requestBody: limit,
      upload,
      objects: this.#options.objects,
      again: this.#again,
      ended: this.#ended,
    });
    this.#callerPulls.began(caller.id);
    this.#options.replies.expect(running);
    start(running);
  }

  readonly #ended = (outcome: PullOutcome, { caller }: GrantedRequest): void => {
    const { pull, retriedAs } = outcome;
    this.#options.replies.forget(pull.pullId);
    if (retriedAs === undefined) {
      this.#options.windows.give(pull.credit);
      this.#callerPulls.ended(caller.id);
    }
    this.#options.ended(outcome);
  };

  /** The first try got no answer: another link is looked for, as the registry or this process knows it now. */
  readonly #again = (first: FirstTry, fault: PullFault, stay: () => void): void => {
    const { devices } = this.#options;
    const { device } = first;
    whenKnown(
      () => (isLoad(fault) ? devices.find(device) : devices.findAnew(device)),
      (found) => this.#tryAgain(first, found, stay),
      stay,
    );
  };

  #tryAgain(first: FirstTry, found: PullableDevice | undefined, stay: () => void): void {
    if (first.over) return; // its caller left, or its time ran out, while the device was looked for
    const { again: _, ...options } = first.options;
    const { caller, route, receivedAt } = options.request;
    const device = checkGrant(caller, found, route, options.pull.method);
    const target = this.#otherTarget(device.targets, options);
    const leftMs = receivedAt + options.deadlineMs - this.#options.clock.monotonic();
    if (leftMs < 1) return stay();
    if (target === undefined) return this.#whenBack(first, device, stay);
    const ticket = this.#options.tickets.next(route.device);
    const pull = { ...options.pull, ...ticket, deadlineMs: agentDeadlineMs(leftMs) };
    const before = { request: first.request, leftMs };
    const second = new PullInFlight({ ...options, pull, target, before });
    this.#options.replies.expect(second); // before the first is forgotten: the caller's pull waits all the time
    first.passOn(second.pullId);
    start(second);
  }

  /** There is no other link: the device's next one will do, where it is expected. */
  #whenBack(first: FirstTry, device: PullableDevice, stay: () => void): void {
    if (device.targets.length > 0) return stay();
    const back = this.returning(device, first.options.request);
    if (back === undefined) return stay();
    whenKnown(
      () => back,
      (found) => this.#tryAgain(first, found, stay),
      stay,
    );
  }

  #otherTarget(
    targets: readonly PullTarget[],
    { pull, target }: PullInFlightOptions,
  ): PullTarget | undefined {
    const { random, limits } = this.#options;
    const other = chooseTarget(targets, pull.source, random, target.connection.connectionId);
    return other !== undefined && other.inFlight < limits.pullsPerLink ? other : undefined;
  }

  #target(device: PullableDevice, source: string): PullTarget {
    if (device.targets.length === 0) throw offline(device.offline);
    const { limits, random } = this.#options;
    const target = chooseTarget(device.targets, source, random);
    if (target === undefined) throw noTarget(device, source);
    if (target.inFlight >= limits.pullsPerLink) throw linkFull(target.inFlight);
    return target;
  }

  /** Milliseconds that the caller gives its pull. */
  deadlineOf(exchange: Exchange): number {
    const { defaultDeadlineMs, maxDeadlineMs } = this.#options.limits;
    const wanted = preferredWaitMs(exchange.headers) ?? defaultDeadlineMs;
    return Math.min(Math.max(wanted, 1), maxDeadlineMs);
  }

  /** The device, when it is back; undefined where it is not expected, or the caller will not wait. */
  returning(
    device: PullableDevice,
    { exchange, receivedAt }: Pick<GrantedRequest, 'exchange' | 'receivedAt'>,
  ): Promise<PullableDevice | undefined> | undefined {
    const { clock, returning } = this.#options;
    const leftMs = receivedAt + this.deadlineOf(exchange) - clock.monotonic();
    const isAsked = preferredWaitMs(exchange.headers) !== undefined;
    return returning?.returning(device, { leftMs, isAsked });
  }

  #pull(
    { exchange, route, caller }: GrantedRequest,
    upload: UploadedBody | undefined,
    deadlineMs: number,
  ): Pull {
    const headers =
      upload === undefined
        ? requestHeaders(exchange.headers, caller.credential)
        : uploadedRequestHeaders(exchange.headers, caller.credential, upload.length);
    const { path, query } = route;
    if (headBytes(headers) + path.length + (query?.length ?? 0) > headLimitBytes) {
      throw new PullFault('request-head-too-large', 'lookup', {
        detail: `headers, path and query together are over ${headLimitBytes} bytes`,
      });
    }
    const { pullId, replyTo } = this.#options.tickets.next(route.device);
    const pull: { -readonly [K in keyof Pull]: Pull[K] } = {
      action: 'pull',
      pullId,
      replyTo,
      seq: 0,
      source: route.source,
      method: exchange.method,
      path,
      headers,
      deadlineMs: agentDeadlineMs(deadlineMs),
      credit: this.#options.windows.take(),
      caller: caller.name,
      end: upload === undefined && exchange.body.length === 0,
    };
    if (query !== undefined) pull.query = query;
    return pull;
  }
}

/** The link is there, and has enough to do. */
function isLoad({ code }: PullFault): boolean {
  return code === 'busy' || code === 'link-full';
}

/** Whatever it throws: what the pull holds is given back. */
function start(pull: PullInFlight): void {
  try {
    pull.start();
  } catch (error) {
    pull.giveUp(asFault(error), 'relay');
  }
}
