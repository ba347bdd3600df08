import { endToEndHeaders, type HeaderList, headerValue, PullFault } from '@pullwire/shared';

/** Turns a caller's headers into those that the upstream gets. */
export class HttpRequestHeaders {
  readonly #added: HeaderList;
  readonly #replaced: ReadonlySet<string>;

  /** `added` stand in place of what the caller sent under the same names. `Host` is always the upstream's own. */
  constructor(added: HeaderList) {
    this.#added = added;
    this.#replaced = new Set(['host', ...added.filter((_, i) => i % 2 === 0).map(lower)]);
  }

  /**
   * Without what is hop-by-hop. Throws `PullFault` where the request is an upgrade, or where its length is not one
   * number: two readers could find its end in two places (RFC 9112 §6.3).
   */
  forUpstream(headers: HeaderList): string[] {
    checkFraming(headers);
    const kept = endToEndHeaders(headers, this.#drops);
    kept.push(...this.#added);
    return kept;
  }

  readonly #drops = (name: string): boolean => this.#replaced.has(name);
}

function checkFraming(headers: HeaderList): void {
  let lengths = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length === 7 && lower(name) === 'upgrade') throw upgradeFault();
    if (name.length !== 14 || lower(name) !== 'content-length') continue;
    lengths += 1;
    if (lengths > 1 || !/^\d{1,15}$/.test(headers[i + 1] as string)) {
      throw new PullFault('bad-request', 'policy', { detail: 'Content-Length is not one number' });
    }
  }
}

export function upgradeFault(): PullFault {
  const detail = 'a pull is one request and one reply; CONNECT and Upgrade are not supported';
  return new PullFault('upgrade-not-supported', 'policy', { detail });
}

/** Whether the caller waits for a 100 before it sends its body, or expects anything else (RFC 9110 §10.1.1). */
export function hasExpectation(headers: HeaderList): boolean {
  return headerValue(headers, 'expect') !== undefined;
}

const lower = (name: string): string => name.toLowerCase();
