import { PullFault } from '@pullwire/shared';
import type { Admission, AdmissionRequest, SourcePolicy } from '../pull/policed-source.ts';
import { AllowList, type AllowRule } from './allow-list.ts';
import { splitPath } from './path-rule.ts';
import { type Rate, RateLimit } from './rate-limit.ts';

/** What a source's configuration says about who may ask what of it. */
export interface PolicyConfig {
  readonly allow: readonly AllowRule[];
  readonly limits: {
    /** Of a request's body; 0: none. */
    readonly requestBytes: number;
    /** In flight. */
    readonly pulls: number;
    readonly rate: Rate | null;
  };
}

/** A pull ends within seconds at most sources: when to come back cannot be known, only guessed. */
const busyRetryMs = 1_000;

/**
 * What may be asked of one source, checked before every pull: the path rule, methods and paths, the declared length of
 * the body, the rate, and the pulls in flight, in this order. What does not pass throws `PullFault`.
 */
export class Policy implements SourcePolicy {
  readonly #name: string;
  readonly #limits: PolicyConfig['limits'];
  readonly #allow: AllowList;
  readonly #rate: RateLimit | undefined;
  #inFlight = 0;

  /** `now` is monotonic, in ms. */
  constructor(name: string, config: PolicyConfig, now: () => number) {
    this.#name = name;
    this.#limits = config.limits;
    this.#allow = new AllowList(config.allow);
    this.#rate = config.limits.rate === null ? undefined : new RateLimit(config.limits.rate, now);
  }

  get requestBytes(): number {
    return this.#limits.requestBytes;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  admit(request: AdmissionRequest): Admission {
    const segments = splitPath(request.path);
    this.#checkAllowed(request, segments);
    this.#checkBody(request.bodyLength);
    this.#checkRate();
    this.#checkInFlight();
    this.#inFlight += 1;
    return new Admitted(segments, this.#leave);
  }

  readonly #leave = (): void => {
    this.#inFlight -= 1;
  };

  #checkAllowed({ method, path, caller }: AdmissionRequest, segments: readonly string[]): void {
    if (this.#allow.allows(method, segments, caller)) return;
    const asked = `asked: ${method} ${shorten(path)}`;
    throw new PullFault('refused-by-policy', 'policy', {
      detail: `source "${this.#name}" allows ${shorten(this.#allow.describe(caller))}; ${asked}`,
    });
  }

  /** A body of unknown length (undefined) is counted as it comes, unless there may be none at all. */
  #checkBody(length: number | undefined): void {
    if (Number.isNaN(length)) {
      throw new PullFault('bad-request', 'policy', { detail: 'Content-Length is not a number' });
    }
    const limit = this.#limits.requestBytes;
    if (length === undefined ? limit > 0 : length <= limit) return;
    throw new PullFault('request-body-too-large', 'policy', {
      detail:
        limit === 0
          ? `source "${this.#name}" takes no request body`
          : `the request body has ${length} bytes; source "${this.#name}" allows ${limit} (limits.requestBytes)`,
    });
  }

  #checkRate(): void {
    const retryAfterMs = this.#rate?.take() ?? 0;
    if (retryAfterMs === 0) return;
    throw new PullFault('rate-limited', 'agent-accept', {
      detail: `source "${this.#name}" allows ${this.#limits.rate?.perSecond} pulls a second (limits.rate)`,
      retryAfterMs,
    });
  }

  #checkInFlight(): void {
    if (this.#inFlight < this.#limits.pulls) return;
    throw new PullFault('busy', 'agent-accept', {
      detail: `source "${this.#name}" already has ${this.#inFlight} pulls in flight (limits.pulls)`,
      retryAfterMs: busyRetryMs,
    });
  }
}

class Admitted implements Admission {
  readonly segments: readonly string[];
  #leave: (() => void) | undefined;

  constructor(segments: readonly string[], leave: () => void) {
    this.segments = segments;
    this.#leave = leave;
  }

  release(): void {
    this.#leave?.();
    this.#leave = undefined;
  }
}

const shorten = (text: string): string => (text.length <= 180 ? text : `${text.slice(0, 179)}…`);
