/** Longer ones are cut. */
const limit = 300;

/**
 * What the other side said, fit for a log and a terminal: on one line, of bounded length, without control characters,
 * which could redraw the screen, and without format characters, which could turn the text around. Undefined where nothing is left.
 */
export function cleanRemark(text: string | undefined): string | undefined {
  const clean = text
    ?.slice(0, 4 * limit)
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, limit);
  return clean === undefined || clean === '' ? undefined : clean;
}
