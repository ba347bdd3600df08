import { isAbsolute } from 'node:path';
import * as v from 'valibot';

type MapOf<Entries extends v.ObjectEntries> = v.InferOutput<v.ObjectSchema<Entries, undefined>>;

/**
 * A map that has these keys and no others. Unlike `v.strictObject` it reports each unknown key, not only the first.
 * What the schema returns holds only known keys, since a further one is a mistake.
 */
export function strictMap<const Entries extends v.ObjectEntries>(
  entries: Entries,
): v.GenericSchema<unknown, MapOf<Entries>> {
  const known = Object.keys(entries).join(', ');
  return v.objectWithRest(
    entries,
    v.never(`no such key; known are ${known}`),
    (issue: v.BaseIssue<unknown>) =>
      issue.path === undefined ? `a map with the keys ${known}` : 'a value: this key is required',
  ) as unknown as v.GenericSchema<unknown, MapOf<Entries>>;
}

/** Text for which `parse` does not throw; what is expected is the message that it throws. */
export function textLike(what: string, parse: (text: string) => unknown) {
  return v.pipe(
    v.string(what),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      try {
        parse(dataset.value);
      } catch (error) {
        addIssue({ message: (error as Error).message });
      }
    }),
  );
}

export function textMatching(what: string, pattern: RegExp) {
  return v.pipe(v.string(what), v.regex(pattern, what));
}

/** Relative paths would depend on where the agent was started. */
export const absolutePath = v.pipe(
  v.string('an absolute path'),
  v.check((path) => isAbsolute(path) && !path.includes('\0'), 'an absolute path'),
);

export function wholeNumber(least: number, most: number) {
  const what = `a whole number from ${least} to ${most}`;
  return v.pipe(v.number(what), v.integer(what), v.minValue(least, what), v.maxValue(most, what));
}
