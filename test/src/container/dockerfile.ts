import {
  type Copy,
  DockerfileParser,
  type Env,
  type Flag,
  type From,
  type Healthcheck,
  type Instruction,
  type JSONInstruction,
} from 'dockerfile-ast';

/** One instruction of a stage, read. `argv` is an exec form; a shell form is refused where it is not a RUN. */
export type Step =
  | { readonly kind: 'run'; readonly command: string }
  | {
      readonly kind: 'copy';
      /** A stage's name; undefined: the build context. */
      readonly from: string | undefined;
      readonly sources: readonly string[];
      readonly to: string;
    }
  | { readonly kind: 'env' | 'arg'; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: 'workdir' | 'user' | 'volume'; readonly value: string }
  | { readonly kind: 'entrypoint' | 'cmd'; readonly argv: readonly string[] }
  | {
      readonly kind: 'healthcheck';
      readonly argv: readonly string[];
      /** `interval`, `timeout`, `start-period`, `retries`, as they are written. */
      readonly settings: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'label' };

export interface Stage {
  readonly name: string | undefined;
  /** With its variables filled in. */
  readonly image: string;
  readonly steps: readonly Step[];
}

/**
 * Reads a Dockerfile into its stages.
 *
 * @throws Error with line and reason at whatever the runner of these stages would not carry out as Docker does: nothing
 *   is passed over.
 */
export function parseDockerfile(text: string): Stage[] {
  const stages: { name: string | undefined; image: string; steps: Step[] }[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const stage = stages.at(-1);
    if (instruction.getKeyword() === 'FROM') stages.push(readFrom(instruction as From));
    else if (stage !== undefined) stage.steps.push(readStep(instruction));
    else if (instruction.getKeyword() !== 'ARG')
      throw unknown(instruction, 'before the first FROM');
  }
  return stages;
}

// The parser's classes are told apart by their keyword, hence the casts here and below.
function readFrom(from: From): { name: string | undefined; image: string; steps: Step[] } {
  const [image] = from.getExpandedArguments().map((argument) => argument.getValue());
  if (image === undefined || image.includes('$')) throw unknown(from, 'an image with no value');
  if (from.getFlags().length > 0) throw unknown(from, 'a flag');
  return { name: from.getBuildStage() ?? undefined, image, steps: [] };
}

function readStep(instruction: Instruction): Step {
  const keyword = instruction.getKeyword();
  switch (keyword) {
    case 'RUN':
      return { kind: 'run', command: readRun(instruction as JSONInstruction) };
    case 'COPY':
      return readCopy(instruction as Copy);
    case 'ENV':
    case 'ARG':
      return { kind: keyword === 'ENV' ? 'env' : 'arg', values: readValues(instruction as Env) };
    case 'WORKDIR':
      return { kind: 'workdir', value: onlyWord(instruction) };
    case 'USER':
      return { kind: 'user', value: onlyWord(instruction) };
    case 'VOLUME': {
      const [value, ...more] = readArgv(instruction as JSONInstruction);
      if (value === undefined || more.length > 0) throw unknown(instruction, 'not one folder');
      return { kind: 'volume', value };
    }
    case 'ENTRYPOINT':
      return { kind: 'entrypoint', argv: readArgv(instruction as JSONInstruction) };
    case 'CMD':
      return { kind: 'cmd', argv: readArgv(instruction as JSONInstruction) };
    case 'HEALTHCHECK':
      return readHealthcheck(instruction as Healthcheck);
    case 'LABEL':
      return { kind: 'label' };
    default:
      throw unknown(instruction, 'an instruction that is not known here');
  }
}

/** The shell's text, its lines joined. A comment within would end it too early, so none is taken. */
function readRun(run: JSONInstruction): string {
  const command = run.getArgumentsContent();
  if (command === null || run.getOpeningBracket() !== null) throw unknown(run, 'no shell form');
  if (run.getFlags().length > 0) throw unknown(run, 'a flag');
  if (command.includes('\n')) throw unknown(run, 'a comment or a heredoc within');
  return command;
}

function readCopy(copy: Copy): Step {
  const other = copy.getFlags().find((flag) => flag.getName() !== 'from');
  if (other !== undefined) throw unknown(copy, `--${other.getName()}`);
  const words = copy.getArguments().map((argument) => argument.getValue());
  const to = words.at(-1);
  const sources = words.slice(0, -1);
  if (to === undefined || sources.length === 0) throw unknown(copy, 'no source');
  if (words.some((word) => /[$*?[]/.test(word))) throw unknown(copy, 'a variable or a wildcard');
  return { kind: 'copy', from: copy.getFromFlag()?.getValue() ?? undefined, sources, to };
}

function readValues(instruction: Env): Record<string, string> {
  const entries = instruction.getProperties().map((property) => {
    const value = property.getValue();
    if (value === null || value.includes('$')) throw unknown(instruction, 'no plain value');
    return [property.getName(), value] as const;
  });
  return Object.fromEntries(entries);
}

function readArgv(instruction: JSONInstruction): string[] {
  if (instruction.getOpeningBracket() === null) throw unknown(instruction, 'no exec form');
  return parseArgv(instruction.getArgumentsContent() ?? '', instruction);
}

function readHealthcheck(healthcheck: Healthcheck): Step {
  const content = healthcheck.getArgumentsContent() ?? '';
  if (!content.startsWith('CMD ')) throw unknown(healthcheck, 'no CMD');
  const argv = parseArgv(content.slice('CMD '.length), healthcheck);
  const setting = (flag: Flag): [string, string] => [flag.getName(), flag.getValue() ?? ''];
  return {
    kind: 'healthcheck',
    argv,
    settings: Object.fromEntries(healthcheck.getFlags().map(setting)),
  };
}

function parseArgv(text: string, instruction: Instruction): string[] {
  const argv: unknown = JSON.parse(text);
  if (!Array.isArray(argv) || !argv.every((word) => typeof word === 'string')) {
    throw unknown(instruction, 'no list of words');
  }
  return argv;
}

function onlyWord(instruction: Instruction): string {
  const [word, ...more] = instruction.getArguments().map((argument) => argument.getValue());
  if (word === undefined || more.length > 0 || word.includes('$')) {
    throw unknown(instruction, 'not one plain word');
  }
  return word;
}

function unknown(instruction: Instruction, what: string): Error {
  const line = instruction.getRange().start.line + 1;
  return new Error(`Dockerfile, line ${line}: ${instruction.getKeyword()} with ${what}`);
}
