/** What goes on, for whoever waits; the result alone goes to stdout. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
