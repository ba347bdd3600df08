interface Side {
  /** In a complaint's words: `relay.json`, `the code`. */
  readonly who: string;
  readonly has: readonly string[];
}

/** `what` of either list that the other has not. */
export function differences(what: string, one: Side, other: Side): string[] {
  const missing = (a: Side, b: Side) =>
    a.has
      .filter((name) => !b.has.includes(name))
      .map((name) => `${what} ${name}: in ${a.who}, not in ${b.who}`);
  return [...missing(one, other), ...missing(other, one)];
}
