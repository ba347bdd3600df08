import { headerValue, PullFault } from '@pullwire/shared';
import type { AuthenticatedCaller, Callers } from '../auth/callers.ts';
import type { Exchange } from '../http/exchange.ts';
import { prefersAsync } from '../http/prefer.ts';
import { problem } from '../http/problem.ts';
import { uploadHeader } from '../http/pull-headers.ts';
import type { Route } from '../http/routes.ts';
import type { GrantedRequest } from './granted-request.ts';
import { PullDispatch, type PullDispatchOptions } from './pull-dispatch.ts';
import { checkGrant } from './pull-grant.ts';
import { refuseUnsupported } from './pull-refusal.ts';
import type { PullableDevice } from './pull-target.ts';
import type { RequestBodyLimit } from './request-to-agent.ts';
import type { RequestUploads } from './request-uploads.ts';
import type { UploadedBody } from './uploaded-body.ts';
import { whenKnown } from './when-known.ts';

export interface PullServiceOptions extends PullDispatchOptions {
  readonly callers: Callers;
  /** Where large request bodies can go; undefined where the host takes them as they are. */
  readonly uploads?: Pick<RequestUploads, 'find' | 'mostBytes'>;
  /** Takes requests whose callers do not wait (`Prefer: respond-async`). */
  readonly queue: PullLater;
  /** A request that never became a pull. */
  refused(refusal: PullRefusal): void;
}

/** Where granted requests wait for their devices. */
export interface PullLater {
  /** Answers the exchange, at once or later. Rejects with `PullFault` where the request is not queued. */
  enqueue(request: GrantedRequest, upload: UploadedBody | undefined): Promise<void>;
}

/** Why a request was answered before anything went to the device. */
export interface PullRefusal {
  readonly method: string;
  readonly device: string;
  readonly source: string;
  readonly fault: PullFault;
}

export type PullRoute = Extract<Route, { name: 'pull' }>;

/** The use case: a caller's request becomes a pull at a device's agent, and its reply the caller's answer. */
export class PullService {
  readonly #options: PullServiceOptions;
  readonly #bodyLimit: RequestBodyLimit;
  readonly #uploadLimit: RequestBodyLimit;
  readonly #dispatch: PullDispatch;

  constructor(options: PullServiceOptions) {
    const { limits, uploads } = options;
    this.#options = options;
    this.#bodyLimit = { bytes: limits.requestBodyBytes, advice: adviceOn(uploads?.mostBytes) };
    this.#uploadLimit = { bytes: uploads?.mostBytes ?? 0, advice: '' };
    this.#dispatch = new PullDispatch(options);
  }

  /** Callers that have pulls in flight: as many as are counted. */
  get busyCallers(): number {
    return this.#dispatch.busyCallers;
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
    heldMs = 0,
  ): void {
    const known = checkGrant(caller, device, route, exchange.method);
    refuseUnsupported(exchange);
    const request = { exchange, route, caller, device: known, receivedAt, heldMs };
    const isAsync = prefersAsync(exchange.headers);
    if (!isAsync && known.targets.length === 0 && this.#held(request)) return;
    const go = isAsync ? this.#queue : this.#run;
    const upload = headerValue(exchange.headers, uploadHeader);
    if (upload === undefined) return go(request, undefined);
    whenKnown(
      () => this.#findUpload(request, upload),
      (body) => go(request, body),
      (error) => this.#refuse(exchange, route, error),
    );
  }

  readonly #queue = (request: GrantedRequest, upload: UploadedBody | undefined): void => {
    const { exchange, route } = request;
    whenKnown(
      () => this.#options.queue.enqueue(request, upload),
      () => undefined,
      (error) => this.#refuse(exchange, route, error),
    );
  };

  /** Whether the request waits for its device to come back; it is looked at again then. */
  #held(request: GrantedRequest): boolean {
    const { exchange, route, caller, device, receivedAt } = request;
    const back = this.#dispatch.returning(device, request);
    if (back === undefined) return false;
    const heldMs = () => this.#options.clock.monotonic() - receivedAt;
    whenKnown(
      () => back,
      (found) => this.#begin(exchange, route, caller, found, receivedAt, heldMs()),
      (error) => this.#refuse(exchange, route, error),
    );
    return true;
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

  readonly #run = (request: GrantedRequest, upload: UploadedBody | undefined): void => {
    const limit = upload === undefined ? this.#bodyLimit : this.#uploadLimit;
    this.#dispatch.begin(request, { limit, upload });
  };
}

/** What to do about a request body that is too large. */
function adviceOn(uploadBytes: number | undefined): string {
  return uploadBytes === undefined
    ? ' (limits.requestBodyBytes)'
    : `; up to ${uploadBytes} bytes can be uploaded before it (POST /uploads)`;
}

function asFault(error: unknown): PullFault {
  if (error instanceof PullFault) return error;
  const detail = 'the relay failed; its log says why';
  return new PullFault('relay-error', 'lookup', { detail, cause: error });
}
