import * as v from 'valibot';
import { absolutePath, strictMap, wholeNumber } from './config-schema.ts';
import { allowReading, pullLimits, replyBytes } from './source-limits.ts';

/** A folder, read only; `allow.paths` say which of its files and folders. */
export const fileSource = v.pipe(
  strictMap({
    kind: v.literal('file'),
    root: absolutePath,
    /** Whether a folder is answered by a list of what is in it. */
    listing: v.optional(v.boolean('true or false'), true),
    /** The largest N of `?tail=N`. */
    maxTailLines: v.optional(wholeNumber(1, 1_000_000), 10_000),
    allow: allowReading,
    limits: v.optional(strictMap({ replyBytes, ...pullLimits(64) }), {}),
  }),
  v.transform((config) => ({ ...config, limits: { ...config.limits, requestBytes: 0 } })),
);

export type FileSourceConfig = Readonly<v.InferOutput<typeof fileSource>>;
