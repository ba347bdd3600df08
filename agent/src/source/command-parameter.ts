import * as v from 'valibot';
import { strictMap, textLike, wholeNumber } from './config-schema.ts';

const value = v.pipe(
  v.string('text'),
  v.check((text) => !text.includes('\0'), 'text without NUL'),
);

/** A parameter of the query: `values` lists what it may be, or `pattern` matches the whole of it. */
export const commandParameter = v.pipe(
  strictMap({
    pattern: v.exactOptional(textLike('a regular expression', compilePattern)),
    values: v.exactOptional(
      v.pipe(v.array(value, 'a list of values'), v.minLength(1, 'at least one value')),
    ),
    default: v.exactOptional(value),
    maxLength: v.optional(wholeNumber(1, 8_192), 256),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { pattern, values } = dataset.value;
    if (pattern === undefined && values === undefined) {
      addIssue({ message: '`pattern` or `values`' });
    } else if (dataset.value.default !== undefined && !isAllowed(dataset.value)) {
      addIssue({ message: 'a `default` that `pattern`, `values` and `maxLength` allow' });
    }
  }),
);
export type ParameterConfig = Readonly<v.InferOutput<typeof commandParameter>>;

function isAllowed(config: ParameterConfig): boolean {
  return new CommandParameter(config).problemWith(config.default ?? '') === undefined;
}

/**
 * Checks values of one parameter. One that begins with `-` could be taken for an option by the program; it passes where
 * `values` lists it, or where `pattern` begins with a literal `-`.
 */
export class CommandParameter {
  readonly #config: ParameterConfig;
  readonly #pattern: RegExp | undefined;
  readonly #values: ReadonlySet<string> | undefined;

  constructor(config: ParameterConfig) {
    this.#config = config;
    this.#pattern = config.pattern === undefined ? undefined : compilePattern(config.pattern);
    this.#values = config.values === undefined ? undefined : new Set(config.values);
  }

  get default(): string | undefined {
    return this.#config.default;
  }

  /** What is wrong with `text`, for people; undefined where nothing is. */
  problemWith(text: string): string | undefined {
    const { pattern, values, maxLength } = this.#config;
    if (text.length > maxLength) return `is longer than ${maxLength} characters`;
    if (text.includes('\0')) return 'holds NUL';
    if (this.#values?.has(text) === false) return `is not one of ${values?.join(', ')}`;
    if (this.#pattern?.test(text) === false) return `does not match ${pattern}`;
    if (this.#mayBeOption(text)) return 'begins with "-"';
    return undefined;
  }

  #mayBeOption(text: string): boolean {
    return (
      text.startsWith('-') &&
      this.#values === undefined &&
      !/^\\?-/.test(this.#config.pattern ?? '')
    );
  }
}

/** Compiled by itself first: `a)|(b` would otherwise close the group that anchors it. */
function compilePattern(pattern: string): RegExp {
  try {
    new RegExp(pattern, 'u');
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    throw new Error('a regular expression (ECMAScript, flag u)');
  }
}
