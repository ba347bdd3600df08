import { scheduleNamePattern, sourcePattern } from '@pullwire/shared';
import * as v from 'valibot';
import { splitPath } from '../policy/path-rule.ts';
import { type ConfigProblem, problemOf } from '../source/config-problem.ts';
import { strictMap, textLike, textMatching } from '../source/config-schema.ts';
import { duration, size } from '../source/quantity.ts';
import { checkCron, checkTimeZone } from './cron-expression.ts';

const scheduleLimit = 256;
const hour = 3_600_000;

/** A reading is held in memory, and goes through the spool whole. */
const readingBytes = { standard: 1_048_576, most: 8_388_608 };

const schedule = strictMap({
  source: textMatching('the name of a source', sourcePattern),
  path: textLike('a path as it is asked for, such as /metrics', splitPath),
  query: v.exactOptional(
    textMatching('a query as it is asked for, without the ?', /^[\x21\x22\x24-\x7e]*$/),
  ),
  cron: textLike('a cron expression, such as */5 * * * *', checkCron),
  timeZone: v.exactOptional(textLike('a time zone, such as Europe/Berlin', checkTimeZone)),
  jitterMs: v.optional(duration(0, hour), 0),
  timeoutMs: v.optional(duration(100, hour), 30_000),
  overlap: v.optional(
    v.picklist(['skip', 'queue'], 'skip, or queue: one waits for the run that is still under way'),
    'skip',
  ),
  maxBytes: v.optional(size(1, readingBytes.most), readingBytes.standard),
});

/** What is asked for, when, and what becomes of it where the one before is not done. Times are in milliseconds. */
export type ScheduleConfig = v.InferOutput<typeof schedule>;
export type ScheduleConfigs = ReadonlyMap<string, ScheduleConfig>;

/** Checks `schedules:` of the agent's configuration, a map of names to schedules. Reports every mistake at once. */
export function parseSchedules(
  value: unknown,
): { readonly schedules: ScheduleConfigs } | { readonly problems: readonly ConfigProblem[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const expected = 'a map of names of schedules';
    return { problems: [{ key: 'schedules', value: undefined, expected }] };
  }
  const entries = Object.entries(value);
  const schedules = new Map<string, ScheduleConfig>();
  const problems: ConfigProblem[] = [];
  if (entries.length > scheduleLimit) {
    const expected = `at most ${scheduleLimit} schedules`;
    problems.push({ key: 'schedules', value: entries.length, expected });
  }
  for (const [name, entry] of entries) {
    const key = `schedules.${name}`;
    if (!scheduleNamePattern.test(name)) {
      const expected = 'a name of at most 63 characters a–z 0–9 - that begins with a–z or 0–9';
      problems.push({ key, value: name, expected });
    }
    const result = v.safeParse(schedule, entry);
    if (result.success) schedules.set(name, result.output);
    else problems.push(...result.issues.map((issue) => problemOf(key, issue)));
  }
  return problems.length === 0 ? { schedules } : { problems };
}
