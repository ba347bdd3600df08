const timeBytes = 6;
const idBytes = 16;

export interface QueueIdParts {
  /** Epoch milliseconds. */
  wall(): number;
  random(bytes: number): Uint8Array;
}

/** Ids of queued pulls, each with its time, which grows from one to the next even where the clock does not. */
export function queueIds({ wall, random }: QueueIdParts): () => { id: string; queuedAt: number } {
  let last = 0;
  return () => {
    last = Math.max(last + 1, wall());
    const bytes = Buffer.alloc(idBytes);
    bytes.writeUIntBE(last, 0, timeBytes);
    bytes.set(random(idBytes - timeBytes), timeBytes);
    return { id: bytes.toString('base64url'), queuedAt: last };
  };
}
