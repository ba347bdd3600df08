/** Runs each, so many at a time; the first error ends it when those under way have ended. */
export async function inTurns<T>(
  items: readonly T[],
  most: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < items.length; at += most) {
    const turn = await Promise.allSettled(items.slice(at, at + most).map(run));
    const failed = turn.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}
