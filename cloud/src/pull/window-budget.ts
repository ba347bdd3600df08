/** Bytes of one reply that may be on their way or waiting for its caller, at most and at least. */
const widest = 512 * 1024;
const narrowest = 64 * 1024;

/**
 * Shares a host's memory among the replies that are under way: windows are wide while few pulls run and shrink as the
 * budget fills, so that many slow callers cannot fill the memory, and each pull still gets what makes it move.
 */
export class WindowBudget {
  readonly #totalBytes: number;
  #takenBytes = 0;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** An eighth of what is left, within the bounds. */
  take(): number {
    const share = Math.floor((this.#totalBytes - this.#takenBytes) / 8);
    const bytes = Math.min(widest, Math.max(narrowest, share));
    this.#takenBytes += bytes;
    return bytes;
  }

  give(bytes: number): void {
    this.#takenBytes -= bytes;
  }
}
