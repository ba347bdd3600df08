import {
  type Clock,
  headBytes,
  headerValue,
  headLimitBytes,
  type Pull,
  PullFault,
} from '@pullwire/shared';
import type { AuthenticatedCaller, Callers } from '../auth/callers.ts';
import type { Exchange } from '../http/exchange.ts';
import { preferredWaitMs } from '../http/prefer.ts';
import { problem } from '../http/problem.ts';
import { requestHeaders, uploadedRequestHeaders, uploadHeader } from '../http/pull-headers.ts';
import type { Route } from '../http/routes.ts';
import type { ReplyDesk } from '../reply/reply-desk.ts';
import { CallerPulls } from './caller-pulls.ts';
import { PullInFlight, type PullOutcome, type ReplyObjects } from './pull-in-flight.ts';
import { refuseUnsupported } from './pull-refusal.ts';
import {
  chooseTarget,
  type PullableDevice,
  type PullableDevices,
  type PullTarget,
} from './pull-target.ts';
import { linkFull, noTarget, offline } from './pull-target-fault.ts';
import type { PullTickets } from './pull-tickets.ts';
import type { RequestBodyLimit } from './request-to-agent.ts';
import type { RequestUploads } from './request-uploads.ts';
import type { UploadedBody } from './uploaded-body.ts';

export interface PullLimits {
  readonly defaultDeadlineMs: number;
  readonly maxDeadlineMs: number;
  readonly requestBodyBytes: number;
  readonly pullsPerLink: number;
  /** In flight in this process for one caller; undefined: the host counts otherwise. */
  readonly pullsPerCaller?: number | undefined;
}

export interface PullServiceOptions {
  readonly callers: Callers;
  readonly devices: PullableDevices;
  readonly replies: ReplyDesk;
  readonly clock: Clock;
  readonly limits: PullLimits;
  readonly tickets: Pick<PullTickets, 'next'>;
  readonly windows: ReplyWindows;
  readonly objects?: ReplyObjects;
  /** Where large request bodies can go; undefined where the host takes them as they are. */
  readonly uploads?: Pick<RequestUploads, 'find' | 'mostBytes'>;
  ended(outcome: PullOutcome): void;
  /** A request that never became a pull. */
  refused(refusal: PullRefusal): void;
}

/** Gives each reply its first credit, in bytes, and takes it back at its end. */
export interface ReplyWindows {
  take(): number;
  give(bytes: number): void;
}

/** Why a request was answered before anything went to the device. */
export interface PullRefusal {
  readonly method: string;
  readonly device: string;
  readonly source: string;
  readonly fault: PullFault;
}

type PullRoute = Extract<Route, { name: 'pull' }>;

/** A request that its caller may make. */
interface GrantedRequest {
  readonly exchange: Exchange;
  readonly route: PullRoute;
  readonly caller: AuthenticatedCaller;
  readonly device: PullableDevice;
  readonly receivedAt: number;
}

/** The use case: a caller's request becomes a pull at a device's agent, and its reply the caller's answer. */
export class PullService {
  readonly #options: PullServiceOptions;
  readonly #bodyLimit: RequestBodyLimit;
  readonly #uploadLimit: RequestBodyLimit;
  readonly #callerPulls: CallerPulls;

  constructor(options: PullServiceOptions) {
    const { limits, uploads } = options;
    this.#options = options;
    this.#bodyLimit = { bytes: limits.requestBodyBytes, advice: adviceOn(uploads?.mostBytes) };
    this.#uploadLimit = { bytes: uploads?.mostBytes ?? 0, advice: '' };
    this.#callerPulls = new CallerPulls(limits.pullsPerCaller);
  }

  /** Callers that have pulls in flight: as many as are counted. */
  get busyCallers(): number {
    return this.#callerPulls.size;
  }

  /** Answers the exchange, at once or later; never throws. What is cached is decided without waiting. */
  start(exchange: Exchange, route: PullRoute): void {
    const receivedAt = this.#options.clock.monotonic();
    whenKnown(
      () => this.#options.callers.authenticate(exchange),
      (caller) =>
        whenKnown(
          () => this.#options.devices.find(route.device),
          (device) => this.#begin(exchange, route, caller, device, receivedAt),
          (error) => this.#refuse(exchange, route, error),
        ),
      (error) => this.#refuse(exchange, route, error),
    );
  }

  #refuse(exchange: Exchange, route: PullRoute, error: unknown): void {
    const { method } = exchange;
    const fault = asFault(error);
    exchange.answer(problem(fault, { method, answeredBy: 'relay' }));
    const { device, source } = route;
    this.#options.refused({ method, device, source, fault });
  }

  #begin(
    exchange: Exchange,
    route: PullRoute,
    caller: AuthenticatedCaller,
    device: PullableDevice | undefined,
    receivedAt: number,
  ): void {
    const known = checkGrant(caller, device, route, exchange.method);
    refuseUnsupported(exchange);
    const request = { exchange, route, caller, device: known, receivedAt };
    const upload = headerValue(exchange.headers, uploadHeader);
    if (upload === undefined) return this.#run(request, undefined);
    whenKnown(
      () => this.#findUpload(request, upload),
      (body) => this.#run(request, body),
      (error) => this.#refuse(exchange, route, error),
    );
  }

  #findUpload({ exchange, caller }: GrantedRequest, id: string): Promise<UploadedBody> {
    const { uploads } = this.#options;
    if (uploads !== undefined && exchange.body.length === 0) return uploads.find(id, caller);
    throw new PullFault('bad-request', 'lookup', {
      detail:
        uploads === undefined
          ? 'this relay has no uploads: send the body with its request, without Pullwire-Upload'
          : 'a request that names an upload has no body of its own',
    });
  }

  #run(request: GrantedRequest, upload: UploadedBody | undefined): void {
    const { exchange, route, caller, device, receivedAt } = request;
    const target = this.#target(device, route.source);
    this.#callerPulls.check(caller.id);
    const deadlineMs = this.#deadline(exchange);
    const pull = this.#pull(request, upload, deadlineMs);
    const { clock, replies } = this.#options;
    const running = new PullInFlight({
      pull,
      exchange,
      target,
      clock,
      receivedAt,
      deadlineMs,
      requestBody: upload === undefined ? this.#bodyLimit : this.#uploadLimit,
      upload,
      objects: this.#options.objects,
      ended: (outcome) => {
        replies.forget(outcome.pull.pullId);
        this.#options.windows.give(outcome.pull.credit);
        this.#callerPulls.ended(caller.id);
        this.#options.ended(outcome);
      },
    });
    this.#callerPulls.began(caller.id);
    replies.expect(running);
    try {
      running.start();
    } catch (error) {
      running.giveUp(asFault(error), 'relay'); // whatever it was: what the pull holds is given back
    }
  }

  #target(device: PullableDevice, source: string): PullTarget {
    if (device.targets.length === 0) throw offline(device.offline);
    const target = chooseTarget(device.targets, source);
    if (target === undefined) throw noTarget(device, source);
    if (target.inFlight >= this.#options.limits.pullsPerLink) throw linkFull(target.inFlight);
    return target;
  }

  #deadline(exchange: Exchange): number {
    const { defaultDeadlineMs, maxDeadlineMs } = this.#options.limits;
    const wanted = preferredWaitMs(exchange.headers) ?? defaultDeadlineMs;
    return Math.min(Math.max(wanted, 1), maxDeadlineMs);
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
      deadlineMs: Math.max(1, Math.round(deadlineMs - Math.min(500, deadlineMs * 0.1))),
      credit: this.#options.windows.take(),
      caller: caller.name,
      end: upload === undefined && exchange.body.length === 0,
    };
    if (query !== undefined) pull.query = query;
    return pull;
  }
}

/** What to do about a request body that is too large. */
function adviceOn(uploadBytes: number | undefined): string {
  return uploadBytes === undefined
    ? ' (limits.requestBodyBytes)'
    : `; up to ${uploadBytes} bytes can be uploaded before it (POST /uploads)`;
}

/** Goes on at once where the value is there, else when it comes; what `next` throws goes to `fail` too. */
function whenKnown<T>(
  ask: () => T | Promise<T>,
  next: (value: T) => void,
  fail: (error: unknown) => void,
): void {
  try {
    const value = ask();
    if (value instanceof Promise) value.then(next).catch(fail);
    else next(value);
  } catch (error) {
    fail(error);
  }
}

function checkGrant(
  caller: AuthenticatedCaller,
  device: PullableDevice | undefined,
  route: PullRoute,
  method: string,
): PullableDevice {
  const verdict = caller.grants.allows(
    route.device,
    device?.labels ?? noLabels,
    route.source,
    method,
  );
  // One answer for an unknown device and one without a grant: who may not know, learns nothing.
  if (device === undefined || verdict === 'no-grant') {
    throw new PullFault('not-found', 'lookup', {
      detail: 'there is no such device or source, or your key has no grant for it',
    });
  }
  if (verdict === 'method-not-granted') {
    throw new PullFault('method-not-granted', 'grant', {
      detail: `your key has no grant for ${method} on this source`,
    });
  }
  return device;
}

const noLabels = {};

function asFault(error: unknown): PullFault {
  if (error instanceof PullFault) return error;
  const detail = 'the relay failed; its log says why';
  return new PullFault('relay-error', 'lookup', { detail, cause: error });
}
