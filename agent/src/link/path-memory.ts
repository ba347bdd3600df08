import { readFile, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { replaceFile } from '../identity/replace-file.ts';
import type { KnownPath } from './idle-path.ts';

const unknown: KnownPath = { goodMs: 0 };
/** Relays that are remembered; the one that was learnt about longest ago goes first. */
const mostPaths = 16;
const mostBytes = 16_384;
const mostMs = 0x7fff_ffff;

/** What a device's paths are known to hold, by the relay's host, in a small file beside its key. */
export class PathMemory {
  readonly #file: string;
  readonly #logger: Logger;
  #paths: ReadonlyMap<string, KnownPath> = new Map();
  #writing: Promise<void> | undefined;
  #isDue = false;
  #warned = false;

  constructor(file: string, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  /** Reads the file. One that is missing, damaged or not ours counts as empty: all in it can be learnt again. */
  async start(): Promise<void> {
    try {
      const { size } = await stat(this.#file);
      if (size <= mostBytes) this.#paths = readPaths(await readFile(this.#file, 'utf8'));
    } catch {
      // The device then learns anew.
    }
  }

  known(host: string): KnownPath {
    return this.#paths.get(host) ?? unknown;
  }

  keep(host: string, known: KnownPath): void {
    const others = [...this.#paths].filter(([other]) => other !== host);
    this.#paths = new Map([...others.slice(-(mostPaths - 1)), [host, known]]);
    this.#isDue = true;
    this.#writing ??= this.#write();
  }

  /** Resolves when all is written that could be. */
  async stop(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false;
      const text = JSON.stringify({ version: 1, paths: Object.fromEntries(this.#paths) });
      try {
        await replaceFile(this.#file, `${text}\n`);
      } catch (err) {
        this.#warn(err);
      }
    }
    this.#writing = undefined;
  }

  #warn(err: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    const file = this.#file;
    this.#logger.warn({ file, err }, 'what is learnt about the path cannot be kept over restarts');
  }
}

function readPaths(text: string): ReadonlyMap<string, KnownPath> {
  const { version, paths } = JSON.parse(text) as { version?: unknown; paths?: unknown };
  if (version !== 1 || typeof paths !== 'object' || paths === null) return new Map();
  const known = Object.entries(paths).slice(-mostPaths);
  return new Map(
    known.flatMap(([host, path]) => {
      const read = readPath(path);
      return read === undefined ? [] : [[host, read] as const];
    }),
  );
}

function readPath(value: unknown): KnownPath | undefined {
  const { goodMs, bad } = (value ?? {}) as { goodMs?: unknown; bad?: unknown };
  if (!isCount(goodMs, mostMs)) return undefined;
  if (bad === undefined) return { goodMs };
  const { ms, at } = (bad ?? {}) as { ms?: unknown; at?: unknown };
  return isCount(ms, mostMs) && isCount(at) ? { goodMs, bad: { ms, at } } : { goodMs };
}

function isCount(value: unknown, most = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
}
