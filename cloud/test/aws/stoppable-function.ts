import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import type { BufferedHttpResult } from '../../src/lambda/event.ts';

const program = fileURLToPath(new URL('./function-process.ts', import.meta.url));

interface Answer {
  readonly id: number;
  readonly result?: BufferedHttpResult;
  readonly error?: string;
}

/** A function as it ships, in a process of its own that stands still between invocations. */
export class StoppableFunction {
  readonly #folder: string;
  readonly #child: ChildProcess;
  #invocations = 0;

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
  }

  /** Resolves when its module is loaded. */
  static async start(
    zip: string,
    env: Readonly<Record<string, string>>,
  ): Promise<StoppableFunction> {
    const folder = await mkdtemp(join(tmpdir(), 'pullwire-function-'));
    const index = join(folder, 'index.mjs');
    const file = unzipSync(await readFile(zip))['index.mjs'];
    if (file === undefined) throw new Error(`${zip} has no index.mjs`);
    await writeFile(index, file);
    const child = fork(program, [index], {
      env,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(child, 'message');
    return new StoppableFunction(folder, child);
  }

  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Thaws it for one event, which waits for it already, and freezes it after its answer. */
  async invoke(event: unknown): Promise<BufferedHttpResult> {
    this.#invocations += 1;
    const id = this.#invocations;
    this.#child.send({ id, event });
    this.#child.kill('SIGCONT');
    const [answer] = (await once(this.#child, 'message')) as [Answer];
    this.freeze();
    if (answer.id !== id || answer.result === undefined) {
      throw new Error(`invocation ${id} was answered by ${JSON.stringify(answer)}`);
    }
    return answer.result;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
    await rm(this.#folder, { recursive: true });
  }
}
