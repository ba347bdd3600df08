import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, startEngine } from './engine.ts';

export interface TemporaryEngine {
  readonly engine: Engine;
  readonly dataFolder: string;
  /** Stops the engine and removes its folder. */
  remove(): Promise<void>;
}

/** For tests: an engine in a folder of its own. */
export async function temporaryEngine(): Promise<TemporaryEngine> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'pw-'));
  const engine = await startEngine({
    dataFolder,
    owner: 'server',
    signal: new AbortController().signal,
    onTrouble: (error) => {
      throw error;
    },
  });
  const remove = async () => {
    await engine.stop();
    await rm(dataFolder, { recursive: true });
  };
  return { engine, dataFolder, remove };
}
