import {
  compileGlobs,
  devicePattern,
  headerValue,
  type Matcher,
  PullFault,
} from '@pullwire/shared';
import type { Exchange } from '../http/exchange.ts';

/** What a caller asks of `GET /events`. */
export interface EventRequest {
  readonly lastEventId: string | undefined;
  /** Whether it wants to hear of this device. */
  readonly wants: Matcher;
  /** The devices that it wants to hear of, where it names each; undefined: any that `wants` takes. */
  readonly ids: readonly string[] | undefined;
}

const mostGlobs = 16;
const globLength = 128;
/** Of a host without memory an id says all that it knows of its client. */
const idLength = 2_048;

/** Throws `PullFault` `bad-request` or `not-acceptable`. */
export function eventRequest(exchange: Exchange, query: string | undefined): EventRequest {
  const accept = headerValue(exchange.headers, 'accept');
  if (accept !== undefined && !takesEvents(accept)) {
    const detail = 'what is here is text/event-stream, and Accept does not take that';
    throw new PullFault('not-acceptable', 'lookup', { detail });
  }
  const globs = new URLSearchParams(query ?? '').getAll('device');
  if (globs.length > mostGlobs || globs.some((glob) => glob.length > globLength)) {
    const detail = `at most ${mostGlobs} times device=, of at most ${globLength} characters each`;
    throw new PullFault('bad-request', 'lookup', { detail });
  }
  return {
    lastEventId: headerValue(exchange.headers, 'last-event-id')?.slice(0, idLength),
    wants: globs.length === 0 ? () => true : compileGlobs(globs),
    ids: globs.length > 0 && globs.every((id) => devicePattern.test(id)) ? globs : undefined,
  };
}

/** RFC 9110 §12.5.1, as far as a type that is refused by its weight of 0. */
function takesEvents(accept: string): boolean {
  return accept
    .toLowerCase()
    .split(',')
    .some((range) => {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
      if (parameters.some((part) => /^q=0(\.0*)?$/.test(part))) return false;
      return type === '*/*' || type === 'text/*' || type === 'text/event-stream';
    });
}
