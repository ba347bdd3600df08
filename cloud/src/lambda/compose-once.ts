/**
 * Composes a function: begins at the cold start, as soon as the module is ready, or with the first invocation where that
 * comes sooner. The AWS SDK is loaded in it, beside the first request's way over the network. A composition that failed
 * is begun anew by the next invocation: what was missing may be there then.
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
  // The invocation that needs it hears of a failure.
  setImmediate(() => ask().catch(() => undefined));
  return ask;
}
