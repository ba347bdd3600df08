/** What one of the three does, in order: each entry is one command, here-documents included. */
export type QuickStartPart = readonly string[];

const heading = '## Quick start\n';
/** `# 1. the relay …`: another terminal. */
const partBegins = /^# \d\. /;

/**
 * The commands of README's quick start as they stand there, by terminal, and what its text says has to be run before.
 *
 * @throws Error where README has no such part: it was written anew, and this has to follow.
 */
export function readQuickStart(readme: string): { before: string; parts: QuickStartPart[] } {
  const [, rest = ''] = readme.split(heading);
  const [, intro = '', block = ''] = /^([\s\S]*?)```sh\n([\s\S]*?)```\n/.exec(rest) ?? [];
  const before = /^After `([^`]+)`/.exec(intro)?.[1];
  const lines = block.split('\n');
  const begins = lines.flatMap((line, at) => (partBegins.test(line) ? [at] : []));
  if (before === undefined || begins.length === 0) {
    throw new Error('README has no quick start as quick-start.ts knows it');
  }
  const parts = begins.map((at, index) => commandsIn(lines.slice(at, begins[index + 1])));
  return { before, parts };
}

function commandsIn(lines: readonly string[]): QuickStartPart {
  const commands: string[] = [];
  let endMark: string | undefined;
  for (const line of lines) {
    if (endMark !== undefined) {
      commands.push(`${commands.pop()}\n${line}`);
      if (line === endMark) endMark = undefined;
    } else if (line !== '' && !line.startsWith('#')) {
      commands.push(line);
      endMark = /<<'(\w+)'$/.exec(line)?.[1];
    }
  }
  return commands;
}

const placeholder = /\b(pw[ek]_)…/g;

/**
 * A command with what was printed before in place of its placeholders, as a reader would put it in.
 *
 * @throws Error where nothing of the kind was printed.
 */
export function fillIn(command: string, printed: string): string {
  return command.replace(placeholder, (_, prefix: string) => {
    const found = printed.match(new RegExp(`\\b${prefix}[\\w-]+`, 'g'))?.at(-1);
    if (found === undefined) throw new Error(`nothing printed what belongs into: ${command}`);
    return found;
  });
}
