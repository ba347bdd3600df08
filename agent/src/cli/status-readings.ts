import { ago, asFields, type Line, lastRun, type StatusFields, size } from './status-words.ts';

/** Schedules, and what waits for the relay. `now`: milliseconds since the epoch. */
export function readingLines({ spool, sending, schedules }: StatusFields, now: number): Line[] {
  const all = Object.entries(asFields(schedules));
  const { depth, taken } = asFields(spool);
  if (all.length === 0 && depth === 0 && taken === 0) return [];
  return [
    ...all.map(
      ([name, schedule]): Line => ['schedule', scheduleText(name, asFields(schedule), now)],
    ),
    ['spool', spoolText(asFields(spool), now)],
    ['readings', sendingText(asFields(sending))],
  ];
}

function scheduleText(
  name: string,
  { cron, timeZone, nextAt, running, last, missed, skipped }: StatusFields,
  now: number,
): string {
  const zone = timeZone === undefined ? '' : ` ${timeZone}`;
  const next = running === true ? 'running now' : `next ${timeOf(nextAt)}`;
  const odd = [
    ...(Number(missed) > 0 ? [`${missed} missed`] : []),
    ...(Number(skipped) > 0 ? [`${skipped} skipped`] : []),
  ];
  const run = last === undefined ? 'not run since the start' : lastRun(last, now);
  return [`${name} (${cron}${zone}): ${next}`, run, ...odd].join(', ');
}

function spoolText(
  { depth, bytes, oldestAt, dropped, unwritten, trouble }: StatusFields,
  now: number,
): string {
  const { full, age, unwritten: lost } = asFields(dropped);
  const oldest = oldestAt === undefined ? '' : `, the oldest of ${ago(oldestAt, now)}`;
  const waiting =
    depth === 0 ? 'nothing waits' : `${depth} readings wait (${size(bytes)})${oldest}`;
  const gone = Number(full) + Number(age) + Number(lost);
  return [
    waiting,
    ...(gone > 0
      ? [`${gone} LOST since the start (no room ${full}, too old ${age}, not written ${lost})`]
      : []),
    ...(Number(unwritten) > 0 ? [`${unwritten} in memory only`] : []),
    ...(trouble === undefined ? [] : [`TROUBLE: ${trouble}`]),
  ].join(', ');
}

function sendingText({ sent, refused, again, hold }: StatusFields): string {
  const { until, detail } = asFields(hold);
  const odd = [
    ...(hold === undefined ? [] : [`HELD BACK by the relay until ${timeOf(until)}: ${detail}`]),
    ...(Number(refused) > 0 ? [`${refused} refused by the relay`] : []),
    ...(Number(again) > 0 ? [`${again} batches sent again`] : []),
  ];
  return [`${sent} stored at the relay since the start`, ...odd].join(', ');
}

function timeOf(at: unknown): string {
  return typeof at === 'number' ? new Date(at).toISOString().replace(/\.\d+Z$/, 'Z') : 'never';
}
