import * as v from 'valibot';
import { parseArgument } from './command-argument.ts';
import { commandParameter, type ParameterConfig } from './command-parameter.ts';
import { absolutePath, strictMap, textMatching } from './config-schema.ts';
import { duration, size } from './quantity.ts';
import { environmentName, secretText } from './secret-text.ts';
import { allowReading, pullLimits } from './source-limits.ts';

const argument = v.pipe(
  v.string('text'),
  v.check((text) => !text.includes('\0'), 'text without NUL'),
);
const parameterName = textMatching(
  'a name of letters, digits, - and _ that begins with a letter',
  /^[A-Za-z][A-Za-z0-9_-]{0,63}$/,
);

/** A program with fixed arguments; `{name}` in an argument stands for a parameter of the query. Never a shell. */
export const commandSource = v.pipe(
  strictMap({
    kind: v.literal('command'),
    argv: v.pipe(
      v.array(argument, 'a list: program, arguments…'),
      v.minLength(1, 'at least a program'),
    ),
    parameters: v.optional(
      v.record(parameterName, commandParameter, 'a map of parameter names'),
      {},
    ),
    env: v.optional(v.record(environmentName, secretText, 'a map of variable names'), {}),
    cwd: v.exactOptional(absolutePath),
    /** The whole run, from start to exit. */
    timeoutMs: v.optional(duration(), 25_000),
    outputBytes: v.optional(size(1), 10_485_760),
    contentType: v.optional(
      textMatching('a media type', /^[\x21-\x7e][\x20-\x7e]*$/),
      'text/plain; charset=utf-8',
    ),
    /** How much of the end of stderr a failure shows. */
    stderrTail: v.optional(size(0, 3_500), 2_000),
    allow: allowReading,
    limits: v.optional(strictMap({ ...pullLimits(8) }), {}),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const message = argumentsProblem(dataset.value.argv, dataset.value.parameters);
    if (message !== undefined) addIssue({ message });
  }),
  v.transform((config) => ({ ...config, limits: { ...config.limits, requestBytes: 0 } })),
);

export type CommandSourceConfig = Readonly<v.InferOutput<typeof commandSource>>;

/** Every `{name}` must be a parameter, and every parameter must be used. */
function argumentsProblem(
  argv: readonly string[],
  parameters: Readonly<Record<string, ParameterConfig>>,
): string | undefined {
  const [program, ...rest] = argv.map(parseArgument);
  if (program?.some((piece) => piece.parameter !== undefined)) return 'a program without {…} in it';
  const used = new Set(rest.flat().flatMap((piece) => piece.parameter ?? []));
  const unknown = [...used].find((name) => !Object.hasOwn(parameters, name));
  if (unknown !== undefined) return `\`parameters\` to describe {${unknown}}, which argv uses`;
  const unused = Object.keys(parameters).find((name) => !used.has(name));
  return unused === undefined
    ? undefined
    : `argv to use {${unused}}, which \`parameters\` describes`;
}
