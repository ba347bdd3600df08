import type { Mark } from './trace.ts';

/** Something with a beginning and an end; `end` is missing where it only happened. */
export interface Span {
  readonly name: string;
  readonly begin: string;
  readonly end?: string;
}

/** What a cold start and the first pull wait for; several of it at once. */
export const coldSpans: readonly Span[] = [
  { name: 'http begins: composes itself, without SSM', begin: 'http begins' },
  { name: 'reply channel: dial', begin: 'channel dials', end: 'channel is open' },
  { name: 'reply channel: authorizer', begin: 'authorizer begins', end: 'authorizer ends' },
  { name: 'reply channel: connect', begin: 'connect begins', end: 'connect ends' },
  {
    name: 'reply channel: keep-alive, which tells its id',
    begin: 'channel is open',
    end: 'channel knows its id',
  },
  { name: 'registry: the caller’s key (GetItem)', begin: 'GetItem asked', end: 'GetItem answered' },
  { name: 'registry: the device (Query)', begin: 'Query asked', end: 'Query answered' },
  { name: 'post to the agent', begin: 'http posts', end: 'frame leaves for the agent' },
  {
    name: 'agent and upstream',
    begin: 'frame leaves for the agent',
    end: 'frame of the agent arrives',
  },
  { name: 'gateway → message begins', begin: 'frame of the agent arrives', end: 'message begins' },
  { name: 'message', begin: 'message begins', end: 'message posts' },
  {
    name: 'post to the reply channel',
    begin: 'message posts',
    end: 'frame leaves for the channel',
  },
  { name: 'caller has all', begin: 'caller has all' },
];

/** A line for each span that happened, in the order in which they began: since the start, how long, what. */
export function timelineLines(
  startedAt: number,
  marks: readonly Mark[],
  spans: readonly Span[],
): string[] {
  const at = (what: string | undefined, after = 0): number | undefined =>
    marks.find((mark) => mark.what === what && mark.at >= after)?.at;
  return spans
    .flatMap(({ name, begin, end }) => {
      const began = at(begin);
      return began === undefined ? [] : [{ name, began, ended: at(end, began) }];
    })
    .toSorted((a, b) => a.began - b.began)
    .map(({ name, began, ended }) => {
      const took = ended === undefined ? '' : `${(ended - began).toFixed(1)} ms`;
      return `  ${(began - startedAt).toFixed(1).padStart(8)} ms  ${took.padStart(9)}  ${name}`;
    });
}
