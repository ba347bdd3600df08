/** Goes on at once where the value is there, else when it comes; what `next` throws goes to `fail` too. */
export function whenKnown<T>(
  ask: () => T | Promise<T>,
  next: (value: T) => void,
  fail: (error: unknown) => void,
): void {
  try {
    const value = ask();
    if (value instanceof Promise) value.then(next).catch(fail);
    else next(value);
  } catch (error) {
    fail(error);
  }
}
