/**
 * Composes a function: begins at the cold start, without holding up the module. A composition that failed is begun anew
 * by the next invocation: what was missing may be there then.
 */
export function composeOnce<T>(compose: () => Promise<T>): () => Promise<T> {
  let composed: Promise<T> | undefined;
  const ask = (): Promise<T> => {
    composed ??= compose().catch((error: unknown) => {
      composed = undefined;
      throw error;
    });
    return composed;
  };
  ask().catch(() => undefined); // the invocation that needs it hears of it
  return ask;
}
