import { type Clock, headBytes, headLimitBytes, type Pull, PullFault } from '@pullwire/shared';
import type { AuthenticatedCaller, Callers } from '../auth/callers.ts';
import type { Exchange } from '../http/exchange.ts';
import { preferredWaitMs } from '../http/prefer.ts';
import { problem } from '../http/problem.ts';
import { requestHeaders } from '../http/pull-headers.ts';
import type { Route } from '../http/routes.ts';
import type { ReplyDesk } from '../reply/reply-desk.ts';
import { PullInFlight, type PullOutcome, type ReplyObjects } from './pull-in-flight.ts';
import { refuseUnsupported } from './pull-refusal.ts';
import {
  chooseTarget,
  type OfflineInfo,
  type PullableDevice,
  type PullableDevices,
  type PullTarget,
} from './pull-target.ts';
import type { PullTickets } from './pull-tickets.ts';

export interface PullLimits {
  readonly defaultDeadlineMs: number;
  readonly maxDeadlineMs: number;
  readonly requestBodyBytes: number;
  readonly pullsPerLink: number;
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

/** The use case: a caller's request becomes a pull at a device's agent, and its reply the caller's answer. */
export class PullService {
  readonly #options: PullServiceOptions;

  constructor(options: PullServiceOptions) {
    this.#options = options;
  }

  /** Answers the exchange, at once or later; never throws. What is cached is decided without waiting. */
  start(exchange: Exchange, route: PullRoute): void {
    const receivedAt = this.#options.clock.monotonic();
    whenKnown(
      () => this.#options.callers.authenticate(exchange.headers),
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
    const target = this.#target(known, route.source);
    const deadlineMs = this.#deadline(exchange);
    const pull = this.#pull(exchange, route, caller, deadlineMs);
    const { clock, limits, replies } = this.#options;
    const running = new PullInFlight({
      pull,
      exchange,
      target,
      clock,
      receivedAt,
      deadlineMs,
      requestBodyBytes: limits.requestBodyBytes,
      objects: this.#options.objects,
      ended: (outcome) => {
        replies.forget(outcome.pull.pullId);
        this.#options.windows.give(outcome.pull.credit);
        this.#options.ended(outcome);
      },
    });
    replies.expect(running);
    running.start();
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
    exchange: Exchange,
    route: PullRoute,
    caller: AuthenticatedCaller,
    deadlineMs: number,
  ): Pull {
    const headers = requestHeaders(exchange.headers, caller.credential);
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
      end: exchange.body.length === 0,
    };
    if (query !== undefined) pull.query = query;
    return pull;
  }
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

function noTarget(device: PullableDevice, source: string): PullFault {
  const draining = device.targets.some((target) => target.hasSource(source));
  return draining
    ? new PullFault('agent-draining', 'lookup', {
        detail: 'the agent of this device is shutting down; its next link is expected soon',
        retryAfterMs: 2_000,
      })
    : new PullFault('source-unknown', 'lookup', {
        detail: `the device has no source "${source}"`,
      });
}

function offline(info: OfflineInfo): PullFault {
  const since = info.since === undefined ? undefined : new Date(info.since).toISOString();
  const detail =
    since === undefined
      ? 'the device has never connected'
      : `the device is offline since ${since} (${info.why})`;
  return new PullFault('device-offline', 'lookup', {
    detail,
    retryAfterMs: 5_000,
    ...(since === undefined ? undefined : { extra: { since, why: info.why } }),
  });
}

function linkFull(inFlight: number): PullFault {
  return new PullFault('link-full', 'send', {
    detail: `${inFlight} pulls are already in flight on the device's link (limits.pullsPerLink)`,
    retryAfterMs: 1_000,
  });
}

function asFault(error: unknown): PullFault {
  if (error instanceof PullFault) return error;
  const detail = 'the relay failed; its log says why';
  return new PullFault('relay-error', 'lookup', { detail, cause: error });
}
