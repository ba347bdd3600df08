import { createHash } from 'node:crypto';
import type { HandAgent, WireFrame } from './hand-agent.ts';

/** What a schedule brought, as the agent keeps it. */
export interface SpooledReading {
  readonly schedule: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly path: string;
  readonly body: Buffer;
}

/** Bytes of body in a message of the text encoding, with room for what stands about them. */
const messageBytes = 16_000;
const window = 4;

/** The readings of an agent that is played by hand, and which of them it has not heard to be stored. */
export class HandSpool {
  readonly #waiting = new Map<string, SpooledReading>();
  /** Batches that were sent, repeats included, and those that were answered. */
  readonly counts = { sent: 0, stored: 0 };
  #batch = 0;

  add(readings: readonly SpooledReading[]): void {
    for (const reading of readings) this.#waiting.set(nameOf(reading), reading);
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Sends what waits, four messages at a time, until nothing waits; rejects where the link ends before. */
  async drain(agent: HandAgent): Promise<void> {
    const sent = new Map<number, readonly SpooledReading[]>();
    const left = batchesOf([...this.#waiting.values()]);
    while (left.length > 0 || sent.size > 0) {
      while (left.length > 0 && sent.size < window) {
        const readings = left.shift() as SpooledReading[];
        this.#batch += 1;
        sent.set(this.#batch, readings);
        this.counts.sent += 1;
        agent.send(readingFrame(this.#batch, readings));
      }
      const { batch, refused } = await agent.next('stored');
      const readings = sent.get(batch as number);
      sent.delete(batch as number);
      if (readings === undefined) continue; // a gateway may say it twice
      if (refused !== undefined) throw new Error(`refused: ${JSON.stringify(refused)}`);
      this.counts.stored += 1;
      for (const reading of readings) this.#waiting.delete(nameOf(reading));
    }
  }
}

/** What the relay says of this batch, whatever it says again of others. */
export async function storedOf(agent: HandAgent, batch: unknown): Promise<WireFrame> {
  for (;;) {
    const stored = await agent.next('stored');
    if (stored['batch'] === batch) return stored;
  }
}

export function readingFrame(batch: number, readings: readonly SpooledReading[]): WireFrame {
  const body = Buffer.concat(readings.map((reading) => reading.body));
  return {
    action: 'reading',
    batch,
    readings: readings.map(({ schedule, at, path, body: { length } }) => ({
      ...{ schedule, at, source: 'metrics', path, ms: 7, length },
      ...{ status: 200, headers: ['Content-Type', 'text/plain'] },
    })),
    ...(body.length > 0 && { body: body.toString('base64') }),
  };
}

/** One reading in pieces of so many bytes; each as a message, the last one with the head. */
export function pieceFrames(
  firstBatch: number,
  reading: SpooledReading,
  bytes: number,
): WireFrame[] {
  const { schedule, at, path, body } = reading;
  const of = Math.ceil(body.length / bytes);
  return Array.from({ length: of }, (_, index) => {
    const piece = body.subarray(index * bytes, (index + 1) * bytes);
    const isLast = index === of - 1;
    return {
      action: 'reading',
      batch: firstBatch + index,
      readings: [
        {
          ...{ schedule, at, source: 'metrics', path, ms: 7, length: piece.length },
          ...(isLast && { status: 200, headers: [] }),
          piece: { index, of },
        },
      ],
      body: piece.toString('base64'),
    };
  });
}

/** What is compared: a reading's name, and the hash of its body. */
export function printOf({ schedule, at, body }: Omit<SpooledReading, 'path'>): string {
  return `${at} ${schedule} ${createHash('sha256').update(body).digest('hex')}`;
}

function nameOf({ schedule, at }: SpooledReading): string {
  return `${at} ${schedule}`;
}

function batchesOf(readings: readonly SpooledReading[]): SpooledReading[][] {
  const batches: SpooledReading[][] = [];
  let room = 0;
  for (const reading of readings) {
    const bytes = reading.body.length + 200;
    if (room < bytes) {
      batches.push([]);
      room = messageBytes;
    }
    batches.at(-1)?.push(reading);
    room -= bytes;
  }
  return batches;
}
