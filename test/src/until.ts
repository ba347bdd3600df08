/** Resolves when `holds`: looks again after each turn of the event loop, and leaves giving up to the test's own limit. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
