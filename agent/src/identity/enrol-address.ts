import { isLoopback } from '../config/loopback.ts';
import { EnrolError } from './enrol-error.ts';

/** Where a device enrols, and where it dials where the relay says nothing else. */
export interface EnrolAddress {
  /** `http:` or `https:`, ends in `/enroll`. */
  readonly url: URL;
  /** `ws:` or `wss:`. */
  readonly linkUrl: string;
}

/**
 * Reads the relay's address as people have it: `https://host`, `wss://host/link`, or the whole of `https://…/enroll`.
 *
 * @throws EnrolError where it is none, or not one to send a code to.
 */
export function enrolAddress(text: string, insecure: boolean): EnrolAddress {
  const given = URL.parse(text);
  const scheme = given === null ? undefined : schemes[given.protocol];
  if (given === null || scheme === undefined || given.username !== '' || given.search !== '') {
    throw new EnrolError('--relay: expected the address of a relay, such as https://relay.example');
  }
  const base = given.pathname.replace(/\/+$/, '').replace(/\/(enroll|link)$/, '');
  const url = new URL(`${scheme.http}//${given.host}${base}/enroll`);
  if (!isSafe(url, insecure)) {
    throw new EnrolError(
      `${url.host}: a code would be sent in the clear; use https://, or --insecure where that can be borne`,
    );
  }
  return { url, linkUrl: `${scheme.ws}//${given.host}${base}/link` };
}

/**
 * The address that a relay says to dial.
 *
 * @throws EnrolError where it is none, or would be dialled in the clear.
 */
export function checkedLinkUrl(text: unknown, insecure: boolean): string {
  const url = typeof text === 'string' && text.length <= 2_048 ? URL.parse(text) : null;
  const isLink = url !== null && /^wss?:$/.test(url.protocol) && url.username === '';
  if (!isLink || /[?#]/.test(url.href) || !isSafe(url, insecure)) {
    throw new EnrolError('the relay names no address that this agent would dial (linkUrl)');
  }
  return url.href;
}

const schemes: Readonly<Record<string, { readonly http: string; readonly ws: string }>> = {
  'http:': { http: 'http:', ws: 'ws:' },
  'https:': { http: 'https:', ws: 'wss:' },
  'ws:': { http: 'http:', ws: 'ws:' },
  'wss:': { http: 'https:', ws: 'wss:' },
};

function isSafe({ protocol, hostname }: URL, insecure: boolean): boolean {
  return insecure || protocol === 'https:' || protocol === 'wss:' || isLoopback(hostname);
}
