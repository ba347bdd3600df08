/** A piece of an argument: fixed text, or the place of a parameter. */
export interface ArgumentPiece {
  readonly text: string;
  /** Its name, where the piece is `{name}`. */
  readonly parameter: string | undefined;
}

const placeholder = /(\{[A-Za-z][A-Za-z0-9_-]*\})/;

/** `--host={host}` → `--host=` and the place of `host`. */
export function parseArgument(argument: string): readonly ArgumentPiece[] {
  return argument
    .split(placeholder)
    .map((text, i) => ({ text, parameter: i % 2 === 1 ? text.slice(1, -1) : undefined }))
    .filter(({ text }) => text !== '');
}

export function fillArgument(
  pieces: readonly ArgumentPiece[],
  values: ReadonlyMap<string, string>,
): string {
  return pieces
    .map(({ text, parameter }) => (parameter === undefined ? text : (values.get(parameter) ?? '')))
    .join('');
}
