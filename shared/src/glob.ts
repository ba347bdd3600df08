/** Whether a text matches. Case counts. */
export type Matcher = (text: string) => boolean;

/**
 * Compiles a glob in which `*` stands for any characters, none included; everything else is itself. Matching takes
 * the pieces between the stars from left to right, each at its first place, so it never goes back.
 */
export function compileGlob(glob: string): Matcher {
  const pieces = glob.split('*');
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (pieces.length === 1) return (text) => text === glob;
  if (pieces.every((piece) => piece === '')) return () => true;
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '');
  return (text) =>
    text.length >= first.length + last.length &&
    text.startsWith(first) &&
    text.endsWith(last) &&
    inOrder(middle, text.slice(first.length, text.length - last.length));
}

function inOrder(pieces: readonly string[], text: string): boolean {
  let from = 0;
  for (const piece of pieces) {
    const at = text.indexOf(piece, from);
    if (at < 0) return false;
    from = at + piece.length;
  }
  return true;
}

/** Matches where one of the globs does. */
export function compileGlobs(globs: readonly string[]): Matcher {
  const matchers = globs.map(compileGlob);
  return (text) => matchers.some((matches) => matches(text));
}
