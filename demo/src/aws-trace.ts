import type { Passage } from '../../cloud/test/ministack/tap.ts';

/** One request of a caller and what passed meanwhile. Times are milliseconds by `performance.now()`. */
export interface Exchange {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly status: number;
  readonly passages: readonly Passage[];
}

interface Hop {
  readonly at: number;
  readonly name: string;
  /** What it took until it was answered; none for what is not answered. */
  readonly ms?: number;
}

/** A line a hop, in the order in which they began: when, what, and how long until its answer. */
export function traceLines(exchange: Exchange): string[] {
  const { startedAt, endedAt, status } = exchange;
  const all: Hop[] = [
    { at: startedAt, name: 'caller → function URL: http' },
    ...namedHops(exchange),
    { at: endedAt, name: `http → caller: ${status}` },
  ];
  return all
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, name, ms }) => {
      const took = ms === undefined ? '' : `  (${ms.toFixed(1)} ms)`;
      return `  ${(at - startedAt).toFixed(1).padStart(8)} ms  ${name}${took}`;
    });
}

function namedHops({ passages, startedAt, endedAt }: Exchange): Hop[] {
  return passages.flatMap((passage): Hop[] => {
    if (passage.kind === 'handshake') return [handshakeHop(passage)];
    if (passage.kind === 'bytes') return [{ at: passage.at, name: bytesName(passage) }];
    const { startedAt: at, endedAt: end } = passage;
    if (at < startedAt || at > endedAt || isCaller(passage)) return [];
    return [{ at, name: requestName(passage), ms: end - at }];
  });
}

type Request = Extract<Passage, { kind: 'request' }>;
type Handshake = Extract<Passage, { kind: 'handshake' }>;
type Bytes = Extract<Passage, { kind: 'bytes' }>;

const isCaller = ({ path }: Request): boolean => path.startsWith('/_aws/lambda-url/');

function handshakeHop({ socket, startedAt, endedAt, status }: Handshake): Hop {
  const who = socket === 'agent' ? 'agent' : 'http, for its reply channel,';
  return { at: startedAt, name: `${who} dials the gateway: ${status}`, ms: endedAt - startedAt };
}

function bytesName({ socket, to, bytes }: Bytes): string {
  const name = socket === 'agent' ? 'agent' : 'reply channel of http';
  const way = to === 'gateway' ? `${name} → gateway` : `gateway → ${name}`;
  return `${way}: ${bytes} bytes`;
}

function requestName({ method, path, operation, by, status }: Request): string {
  const sender = by?.replace(/^pullwire-/, '') ?? 'a function';
  if (path.includes('/@connections/'))
    return `${sender} → gateway: ${method} @connections, ${status}`;
  const service = operation?.replace(/_\d+\./, ' ').replace('.', ' ');
  return `${sender} → ${service ?? `S3 ${method}`}`;
}
