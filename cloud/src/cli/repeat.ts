/** Collects the values of an option that may be repeated; the first one replaces the default. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
