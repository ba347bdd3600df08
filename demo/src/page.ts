import { stdout } from 'node:process';

const colour = stdout.isTTY && process.env['NO_COLOR'] === undefined;
const paint =
  (code: string) =>
  (text: string): string =>
    colour ? `\u001b[${code}m${text}\u001b[0m` : text;

export const bold = paint('1');
export const dim = paint('2');
export const green = paint('32');
export const red = paint('31');

export function say(text = ''): void {
  stdout.write(`${text}\n`);
}

/** At most `lines` lines of a body, each cut to the width of a terminal. */
export function excerpt(body: string, lines: number): string {
  const all = body.trimEnd().split('\n');
  const shown = all.slice(0, lines).map((line) => `    ${line.slice(0, 96)}`);
  if (all.length > lines) shown.push(dim(`    … ${all.length - lines} more lines`));
  return shown.join('\n');
}
