import { methodPattern } from '@pullwire/shared';
import * as v from 'valibot';
import { PathPattern } from '../policy/path-pattern.ts';
import { strictMap, textLike, textMatching, wholeNumber } from './config-schema.ts';
import { size } from './quantity.ts';

const pathPattern = textLike('a path pattern', (text) => new PathPattern(text));

const anyMethod = v.pipe(
  textMatching('a method, as HTTP writes it: GET', methodPattern),
  v.check(
    (method) => method !== 'CONNECT',
    'a method other than CONNECT: tunnels are not supported',
  ),
);
const readingMethod = v.picklist(['GET', 'HEAD'], 'GET or HEAD: this kind of source is only read');

/** As the relay's `key add --name` takes it, or with `*` for any characters. */
const callerName = textMatching('a name of a caller, or one with * in it', /^[^\p{Cc}]{1,256}$/u);

function allowList(method: v.GenericSchema<string>) {
  const rule = strictMap({
    methods: v.optional(
      v.pipe(v.array(method, 'a list of methods'), v.minLength(1, 'at least one method')),
      ['GET', 'HEAD'],
    ),
    paths: v.pipe(
      v.array(pathPattern, 'a list of path patterns'),
      v.minLength(1, 'at least one path pattern'),
    ),
    callers: v.exactOptional(
      v.pipe(
        v.array(callerName, 'a list of names of callers'),
        v.minLength(1, 'at least one name of a caller'),
      ),
    ),
  });
  return v.optional(v.array(rule, 'a list of {methods, paths, callers}'), []);
}

/** Deny by default: a source without rules refuses everything. */
export const allowAnyMethod = allowList(anyMethod);
export const allowReading = allowList(readingMethod);

const rate = v.pipe(
  strictMap({
    perSecond: v.pipe(
      v.number('a number over 0'),
      v.check((perSecond) => perSecond > 0 && Number.isFinite(perSecond), 'a number over 0'),
    ),
    burst: v.exactOptional(wholeNumber(1, 1_000_000)),
  }),
  v.transform(({ perSecond, burst }) => ({
    perSecond,
    burst: burst ?? Math.max(1, Math.ceil(perSecond)),
  })),
);

/** Pulls in flight, as many as the kind bears by default, and per second. */
export const pullLimits = (pulls: number) => ({
  pulls: v.optional(wholeNumber(1, 10_000), pulls),
  rate: v.optional(v.nullable(rate), null),
});

/** Of a reply's body; null: unlimited. */
export const replyBytes = v.optional(v.nullable(size()), null);
