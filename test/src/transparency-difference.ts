import type { CollectedBody, RawBody } from './raw-body.ts';
import type { RawHead, RawReply } from './raw-http.ts';
import type { AllowedDifference } from './transparency-case.ts';

/** A request as it came to the origin. */
export interface SeenRequest extends RawHead {
  readonly body: RawBody;
  /** Undefined where the origin did not read it. */
  readonly collected: CollectedBody | undefined;
}

/** What one way of asking gave: what the origin saw (nothing where it was not asked) and what came back. */
export interface Observation {
  readonly seen: SeenRequest | undefined;
  readonly reply: RawReply;
}

/** In what a relayed exchange differs from a direct one, a line each; none where nothing does. */
export function differencesOf(direct: Observation, relayed: Observation): string[] {
  return [...requestLines(direct, relayed), ...replyLines(direct.reply, relayed.reply)];
}

/** Which of the allowed differences these lines are, and which lines are none of them. */
export function explain(
  lines: readonly string[],
  allowed: readonly AllowedDifference[],
): { readonly ids: Set<string>; readonly unexplained: string[] } {
  const rules = allowed.map(({ id, lines }) => ({
    id,
    pattern: new RegExp(`^(?:${lines.join('|')})$`),
  }));
  const ids = new Set<string>();
  const unexplained: string[] = [];
  for (const line of lines) {
    const found = rules.filter(({ pattern }) => pattern.test(line));
    for (const { id } of found) ids.add(id);
    if (found.length === 0) unexplained.push(line);
  }
  return { ids, unexplained };
}

function requestLines(direct: Observation, relayed: Observation): string[] {
  const [a, b] = [direct.seen, relayed.seen];
  if (a === undefined || b === undefined)
    return a === b ? [] : ['request: only one of the two came'];
  return [
    ...value('request line', a.start, b.start),
    ...fields('request header', a.headers, b.headers),
    ...value('request framing', a.body.framing, b.body.framing),
    ...value('request body', digest(a.collected), digest(b.collected)),
    ...value('request end', a.body.end, b.body.end),
    ...fields('request trailer', a.body.trailers, b.body.trailers),
  ];
}

function replyLines(a: RawReply, b: RawReply): string[] {
  return [
    ...fields('reply interim', a.interim.flatMap(flat), b.interim.flatMap(flat)),
    ...value('reply version', a.version, b.version),
    ...value('reply status', String(a.status), String(b.status)),
    ...value('reply reason', a.reason, b.reason),
    ...fields('reply header', a.headers, b.headers),
    ...value('reply framing', a.body.framing, b.body.framing),
    ...value('reply body', digest(a), digest(b)),
    ...value('reply end', a.body.end, b.body.end),
    ...fields('reply trailer', a.body.trailers, b.body.trailers),
  ];
}

const flat = (head: RawReply['interim'][number]): string[] => [
  head.start,
  head.headers.join(' | '),
];

/** Short ones are shown, so that one can see what went wrong. */
function digest(body: CollectedBody | undefined): string {
  if (body === undefined) return 'unread';
  const { bytes, sha256 } = body;
  return bytes.length < 500
    ? JSON.stringify(bytes.toString('latin1'))
    : `${bytes.length} bytes ${sha256}`;
}

function value(what: string, a: string | undefined, b: string | undefined): string[] {
  return a === b ? [] : [`${what}: ${a} → ${b}`];
}

/** What to take away (`-`) and to add (`+`) to make list `b` of list `a`, keeping as much as can be kept in order. */
function fields(what: string, a: readonly string[], b: readonly string[]): string[] {
  const [from, to] = [pairs(a), pairs(b)];
  const kept = longestCommon(from, to);
  return [
    ...from.filter((_, i) => !kept.has(`a${i}`)).map((field) => `${what} - ${field}`),
    ...to.filter((_, i) => !kept.has(`b${i}`)).map((field) => `${what} + ${field}`),
  ];
}

function pairs(list: readonly string[]): string[] {
  const fields: string[] = [];
  for (let i = 0; i < list.length; i += 2) fields.push(`${list[i]}: ${list[i + 1]}`);
  return fields;
}

/** The places of the longest common subsequence in both lists. */
function longestCommon(a: readonly string[], b: readonly string[]): Set<string> {
  const lengths = a.map(() => b.map(() => 0));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = lengths[i] as number[];
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const places = new Set<string>();
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) {
      places.add(`a${i}`).add(`b${j}`);
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return places;
}
