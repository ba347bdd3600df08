/** Says what it was called with. */
export async function handler(event: unknown): Promise<unknown> {
  return { event };
}
