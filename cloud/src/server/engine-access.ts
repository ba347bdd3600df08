import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { DataFolderError, dataFolder, prepareDataFolder } from './data-folder.ts';
import { type Engine, type EngineInit, startEngine } from './engine.ts';

/** An operator's command holds the folder for a moment only: for 15 s somebody else's engine is waited for. */
const patience = { tries: 150, ms: 100 };

/** The engine that was started, or the socket at which a running server's engine answers. */
export type EngineAccess =
  | { readonly kind: 'started'; readonly engine: Engine }
  | { readonly kind: 'served'; readonly socketPath: string };

/** Starts the engine of a data folder unless a server runs it already. Throws a `DataFolderError`. */
export async function accessEngine(init: EngineInit): Promise<EngineAccess> {
  const folder = dataFolder(init.dataFolder);
  await prepareDataFolder(folder);
  for (let tries = 1; ; tries += 1) {
    if (await answersAt(folder.serverSocket)) {
      return { kind: 'served', socketPath: folder.serverSocket };
    }
    try {
      return { kind: 'started', engine: await startEngine(init) };
    } catch (error) {
      if (!isInUse(error) || tries >= patience.tries) throw error;
      await wait(patience.ms, undefined, { signal: init.signal });
    }
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof DataFolderError && error.code === 'in-use';
}

/** A socket file may outlive its process: only one that is listened on takes a connection. */
function answersAt(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
