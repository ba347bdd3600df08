/** What has to be undone at the end, newest first: processes, then the folders that they use. */
export class Cleanup {
  readonly #steps: (() => Promise<void> | void)[] = [];

  add(undo: () => Promise<void> | void): void {
    this.#steps.push(undo);
  }

  /** Tries every step. @throws AggregateError with what failed. */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const undo of this.#steps.splice(0).reverse()) {
      try {
        await undo();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be undone');
  }
}
