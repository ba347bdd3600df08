import { readingLines } from './status-readings.ts';
import {
  ago,
  asFields,
  duration,
  type Line,
  lastRun,
  type StatusFields,
  size,
} from './status-words.ts';

/** What has lines of its own; whatever else a snapshot has is shown as it is. */
const known: ReadonlySet<string> = new Set([
  'agent',
  'link',
  'today',
  'key',
  'pulls',
  'sources',
  'sourceUse',
  'readings',
]);

/** A snapshot of the agent for people. `now`: milliseconds since the epoch. */
export function statusText(snapshot: StatusFields, now: number): string {
  const { agent, link, today, key, pulls, sourceUse, readings } = snapshot;
  const lines: Line[] = [
    ...agentLines(asFields(agent)),
    ...linkLines(asFields(link), asFields(today), now),
    ...keyLines(key),
    ['pulls', pullsText(asFields(pulls))],
    ...sourceLines(sourceUse, now),
    ...(readings === undefined ? [] : readingLines(asFields(readings), now)),
    ...Object.entries(snapshot)
      .filter(([name, value]) => !known.has(name) && value !== undefined)
      .flatMap(([name, value]) => furtherLines(name, value)),
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

function agentLines({ device, instance, relay, version, pid, upMs }: StatusFields): Line[] {
  return [
    ['agent', `pullwire-agent ${version}, process ${pid}, up ${duration(upMs)}`],
    ['device', `${device}, instance ${instance}`],
    ['relay', `${relay}`],
  ];
}

function linkLines(link: StatusFields, today: StatusFields, now: number): Line[] {
  const { linked, linkedForMs, subprotocol, relay, state, trouble, lastError } = link;
  const counters = asFields(link['counters']);
  const since = `since ${ago(now - Number(linkedForMs), now)}`;
  const how =
    linked === true
      ? `open ${since}, ${subprotocol} with ${relay}`
      : `NOT LINKED ${since} (${state}): ${trouble ?? 'nothing went wrong so far'}`;
  const error = asFields(lastError);
  return [
    ['link', how],
    [
      'last error',
      error['text'] === undefined ? 'none' : `${ago(error['at'], now)}: ${error['text']}`,
    ],
    [
      'bytes',
      `${moved(today)} today (UTC), ${moved(counters)} since the start (without TLS, TCP and IP)`,
    ],
    ['keep-alives', keepAliveText(asFields(link['keepAlive']))],
  ];
}

const moved = ({ bytesIn, bytesOut }: StatusFields): string =>
  `${size(bytesIn)} in and ${size(bytesOut)} out`;

function keepAliveText({ intervalMs, bytesADay, spentBytes, dailyBytes }: StatusFields): string {
  if (typeof intervalMs !== 'number') return 'none so far';
  const a = `one after ${duration(intervalMs)} of silence, ${size(spentBytes)} since the start`;
  const cost = bytesADay === undefined ? '' : `, ${size(bytesADay)} a day`;
  const budget = typeof dailyBytes === 'number' ? `, of ${size(dailyBytes)} that are allowed` : '';
  return a + cost + budget;
}

function keyLines(key: unknown): Line[] {
  if (key === undefined) return [['key', "none: an issuer's token stands in its place"]];
  const { publicKey, changing } = asFields(key);
  const rotation =
    changing === true
      ? 'the relay wants another one, which is not settled yet'
      : 'no rotation under way';
  return [['key', `${publicKey}, ${rotation}`]];
}

function pullsText({ inFlight, pulls, repeated, stray }: StatusFields): string {
  const odd = [
    ...(Number(repeated) > 0 ? [`${repeated} frames repeated`] : []),
    ...(Number(stray) > 0 ? [`${stray} stray`] : []),
  ];
  return [`${inFlight} under way`, `${pulls} since the start`, ...odd].join(', ');
}

function sourceLines(sourceUse: unknown, now: number): Line[] {
  const uses = Array.isArray(sourceUse) ? sourceUse.map(asFields) : [];
  if (uses.length === 0) return [['source', 'none: nothing can be asked of this device']];
  return uses.map(({ source, pulls, last }) => {
    if (last === undefined) return ['source', `${source}: not asked since the start`];
    return ['source', `${source}: ${pulls} pulls, ${lastRun(last, now)}`];
  });
}

/** What this command has no words for: one line a value, or a line an entry. */
function furtherLines(name: string, value: unknown): Line[] {
  if (Array.isArray(value)) return value.map((entry): Line => [name, plain(entry)]);
  return [[name, plain(value)]];
}

function plain(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .map(([name, inner]) => `${name} ${typeof inner === 'object' ? JSON.stringify(inner) : inner}`)
    .join(', ');
}
