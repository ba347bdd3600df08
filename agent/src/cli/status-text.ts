/** A line's name and what it says. */
type Line = readonly [name: string, text: string];

export type StatusFields = Readonly<Record<string, unknown>>;

/** What is no object counts as an empty one: the agent that answers may be of another version. */
export function asFields(value: unknown): StatusFields {
  return typeof value === 'object' && value !== null ? (value as StatusFields) : {};
}

/** What has lines of its own; whatever else a snapshot has is shown as it is. */
const known: ReadonlySet<string> = new Set([
  'agent',
  'link',
  'key',
  'pulls',
  'sources',
  'sourceUse',
]);

/** A snapshot of the agent for people. `now`: milliseconds since the epoch. */
export function statusText(snapshot: StatusFields, now: number): string {
  const { agent, link, key, pulls, sourceUse } = snapshot;
  const lines: Line[] = [
    ...agentLines(asFields(agent)),
    ...linkLines(asFields(link), now),
    ...keyLines(key),
    ['pulls', pullsText(asFields(pulls))],
    ...sourceLines(sourceUse, now),
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

function linkLines(link: StatusFields, now: number): Line[] {
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
      `${size(counters['bytesIn'])} in, ${size(counters['bytesOut'])} out since the start (without TLS, TCP and IP)`,
    ],
    ['keep-alives', keepAliveText(asFields(link['keepAlive']))],
  ];
}

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
    const { at, outcome, status, ms } = asFields(last);
    const answer = status === undefined ? `${outcome}` : `${outcome} (${status})`;
    return ['source', `${source}: ${pulls} pulls, last ${ago(at, now)}: ${answer} in ${ms} ms`];
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

/** A time, and how long ago it was: clocks on devices are wrong, and the two together show it. */
function ago(when: unknown, now: number): string {
  const at = typeof when === 'number' ? when : Date.parse(String(when));
  if (Number.isNaN(at)) return 'an unknown time';
  const iso = new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
  return `${iso} (${duration(Math.max(0, now - at))} ago)`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** The two largest units that matter: `3 h 12 min`. */
function duration(value: unknown): string {
  const ms = Number(value);
  if (!Number.isFinite(ms)) return 'an unknown time';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const first = units.findIndex(([, size]) => ms >= size);
  const parts: string[] = [];
  let left = ms;
  for (const [name, size] of units.slice(first, first + 2)) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(' ');
}

function size(value: unknown): string {
  const bytes = Number(value);
  if (!Number.isFinite(bytes)) return 'an unknown number of bytes';
  if (bytes < 10_000) return `${bytes} bytes`;
  if (bytes < 10_000_000) return `${Math.round(bytes / 1_000)} kB`;
  return bytes < 10_000_000_000
    ? `${Math.round(bytes / 1_000_000)} MB`
    : `${Math.round(bytes / 1_000_000_000)} GB`;
}
