import { blobOf } from './soak-blob.ts';

export interface SoakTarget {
  readonly url: string;
  readonly callerKey: string;
  readonly devices: readonly string[];
  readonly perSecond: number;
}

/** A pull that was not answered as it should be. Times in epoch milliseconds. */
export interface SoakFailure {
  readonly device: string;
  readonly method: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Of the problem, or what broke. */
  readonly said: string;
}

/** Sizes in bytes, and how often of a hundred times. */
const sizes: readonly (readonly [number, number])[] = [
  [200, 60],
  [10_000, 28],
  [100_000, 10],
  [1_000_000, 2],
];

/** Pulls of mixed sizes from a fleet at a steady rate; each answer is compared byte for byte. */
export class SoakLoad {
  readonly #target: SoakTarget;
  readonly #timer: NodeJS.Timeout;
  readonly #running = new Set<Promise<void>>();
  readonly failures: SoakFailure[] = [];
  readonly times: number[] = [];
  /** Answers that looked well and were not what was asked for. */
  readonly wrong: string[] = [];
  begun = 0;

  constructor(target: SoakTarget) {
    this.#target = target;
    // A few at a time: a timer of 10 ms would be late too often on a busy machine.
    const everyMs = 50;
    this.#timer = setInterval(() => this.#begin((target.perSecond * everyMs) / 1_000), everyMs);
  }

  /** Begins no more; resolves when all have ended. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#running);
  }

  #begin(pulls: number): void {
    for (let i = 0; i < pulls; i += 1) {
      const pull = this.#pull().finally(() => this.#running.delete(pull));
      this.#running.add(pull);
    }
  }

  async #pull(): Promise<void> {
    const { url, callerKey, devices } = this.#target;
    const device = devices[Math.floor(Math.random() * devices.length)] as string;
    const bytes = anySize();
    const seed = `${device}-${this.begun}`;
    this.begun += 1;
    const startedAt = Date.now();
    const failed = (said: string) =>
      this.failures.push({ device, method: 'GET', startedAt, endedAt: Date.now(), said });
    try {
      const path = `/devices/${device}/sources/web/blob/${bytes}/${seed}`;
      const answer = await fetch(url + path, { headers: { 'Pullwire-Key': callerKey } });
      const body = Buffer.from(await answer.arrayBuffer());
      if (answer.status !== 200) failed(codeOf(answer.status, body));
      else if (body.equals(blobOf(bytes, seed))) this.times.push(Date.now() - startedAt);
      else this.wrong.push(`${device} ${bytes} ${seed}: ${body.length} bytes`);
    } catch (error) {
      failed(`broken: ${String((error as Error).cause ?? error)}`);
    }
  }
}

function anySize(): number {
  let chance = Math.random() * 100;
  for (const [bytes, often] of sizes) {
    if (chance < often) return bytes;
    chance -= often;
  }
  return sizes[0]?.[0] ?? 0;
}

function codeOf(status: number, body: Buffer): string {
  try {
    return `${status} ${(JSON.parse(body.toString()) as { code?: string }).code ?? 'no code'}`;
  } catch {
    return `${status} no problem`;
  }
}
